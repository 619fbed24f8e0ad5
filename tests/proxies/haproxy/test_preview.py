"""What would change in HAProxy is known from `show` commands alone."""

import copy
import time
from pathlib import Path

import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.haproxy.imitation import Model, Server, serve

from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import App, Host, HostGroup, Topology
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.installation.preview import Observation
from drove_gateway.proxies.runtime.preview import preview_servers
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules


def topology(**vhosts: tuple[str, ...]) -> Topology:
    apps = {}
    for vhost, names in vhosts.items():
        hosts = tuple(Host(name, 80, "http") for name in names)
        apps[vhost] = App(vhost, vhost, hosts, {}, {vhost: HostGroup(hosts, {})}, "")
    return Topology(apps, {})


async def no_names(name: str) -> list[str]:
    raise OSError(f"no resolver for {name}")


async def look(socket: Path, desired: Topology, *, reload_disabled: bool = False) -> Observation:
    metrics = CountingMetrics()
    api = RuntimeApi(
        UnixSocket(str(socket)),
        timeout=2,
        clock=time.monotonic,
        metrics=metrics,
        log=EventLog(structlog.get_logger()),
    )
    return await preview_servers(
        HaproxyAdapter(api, Options()),
        RuntimeRules(),
        Resolver(no_names, timeout=0.5, ttl=30, clock=time.monotonic),
        desired,
        reloads=not reload_disabled,
        clock=time.monotonic,
    )


def model() -> Model:
    return Model(
        {
            "web": {
                "server_10.0.0.1_80": Server("10.0.0.1", 80),
                "server_10.0.0.2_80": Server("10.0.0.2", 80),
                "server_10.0.0.3_80": Server("10.0.0.3", 80, admin=8),
                "canary": Server("10.0.0.9", 80),
            }
        }
    )


async def test_each_server_that_differs_is_a_step_and_none_is_changed(short_path: Path) -> None:
    haproxy, commands = model(), []

    def answer(command: str) -> str:
        commands.append(command)
        return haproxy.answer(command)

    before = copy.deepcopy(haproxy.backends)
    desired = topology(web=("10.0.0.1", "10.0.0.3", "10.0.0.4"))
    async with serve(short_path / "s", answer):
        seen = await look(short_path / "s", desired)

    assert [(step.action, step.subject) for step in seen.steps] == [
        ("add server", "web/server_10.0.0.4_80"),
        ("drain server", "web/server_10.0.0.2_80"),
    ]
    assert "server web/server_10.0.0.3_80 is in drain by an operator, and stays so" in seen.notes
    assert {command.split()[0] for command in commands} == {"show", "help"}
    assert haproxy.backends == before
    assert haproxy.touched == set()


async def test_a_backend_that_is_not_there_comes_with_a_reload(short_path: Path) -> None:
    async with serve(short_path / "s", model().answer):
        seen = await look(short_path / "s", topology(new=("10.0.0.1",)))
        disabled = await look(short_path / "s", topology(new=("10.0.0.1",)), reload_disabled=True)

    assert seen.reload == ("HAProxy has no backend new",)
    assert seen.steps == ()
    assert disabled.reload == ()
    assert "HAProxy has no backend new" in disabled.notes


async def test_a_host_without_an_address_is_reported(short_path: Path) -> None:
    async with serve(short_path / "s", model().answer):
        seen = await look(short_path / "s", topology(web=("10.0.0.1", "nowhere.example")))

    assert {step.action for step in seen.steps} == {"drain server"}
    assert any("nowhere.example has no address" in note for note in seen.notes)


async def test_a_socket_that_nobody_answers_is_reported(short_path: Path) -> None:
    seen = await look(short_path / "nobody", topology(web=("10.0.0.1",)))
    assert seen.steps == ()
    assert "HAProxy's servers cannot be read" in seen.notes[0]
    assert "No such file or directory" in seen.notes[0]
    assert not seen.complete
