"""Law: the state after runtime changes is the state after loading the file.

LAW_PAIRS sets for how many pairs of topologies and templates; a thousand are a release test.
"""

import os
import random
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from tests.proxies.haproxy.gateway import VHOSTS_TEMPLATE, Gateway
from tests.traffic import Instance, get

from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)

Spawn = Callable[..., Awaitable[list[Instance]]]

_PLAIN = VHOSTS_TEMPLATE.read_text()
_HEADER = "    http-request set-header Host {{$app.Vhost}}\n    {{- range $group.Hosts}}"
# The least, another shared line, options of their own, and backends that only a reload can make.
_TEMPLATES = (
    _PLAIN,
    _PLAIN.replace("    retries 3\n", "    retries 4\n"),
    _PLAIN.replace("{{$.HaproxyAddServerAttributesString}}", "weight 7"),
    _PLAIN.replace("    {{- range $group.Hosts}}", _HEADER),
)
_VHOSTS = [f"v{number}.example" for number in range(6)]
_TURNS = int(os.environ.get("LAW_PAIRS", "60"))
# Address, port, state and weight: what a server is, without what it has been through.
_COLUMNS = (1, 3, 4, 5, 6, 7, 18, 20)


@pytest.fixture
def gateway(make_newer: Callable[..., Gateway], short_path: Path) -> Gateway:
    template = short_path / "vhosts.tmpl"
    template.write_text(_PLAIN)
    return make_newer(
        template=str(template),
        drain_timeout_sec=0.1,
        haproxy_backend_include_routing_tag_suffix=True,
    )


async def state(gateway: Gateway) -> tuple[list[str], list[list[str]], Mapping[str, int]]:
    """Backends, servers, and the status of a request to each vhost."""
    backends = (await gateway.haproxy.say("show backend")).splitlines()[1:]
    lines = (await gateway.haproxy.say("show servers state")).splitlines()[2:]
    servers = [[line.split(" ")[column] for column in _COLUMNS] for line in lines]
    statuses = {vhost: (await get(gateway.port, vhost))[0] for vhost in [*_VHOSTS, "led.example"]}
    return sorted(backends), sorted(servers), statuses


def some_topology(source: random.Random, ports: list[int]) -> Topology:
    apps = {}
    for vhost in source.sample(_VHOSTS, source.randrange(len(_VHOSTS))):
        tag = source.choice(["env", ""])
        others = source.sample(["blue", "green"], source.randrange(3)) if tag else ()
        groups = {
            name: HostGroup(
                tuple(
                    Host("127.0.0.1", port, "http")
                    for port in source.sample(ports, source.randrange(1, 4))
                ),
                {},
            )
            for name in (vhost, *others)
        }
        hosts = tuple(host for group in groups.values() for host in group.hosts)
        apps[vhost] = App(vhost, vhost, hosts, {}, groups, tag)
    leader = Leader("http://127.0.0.1", "127.0.0.1", source.choice(ports))
    return Topology(apps, {"test": Namespace("led.example", leader, "env")})


async def test_what_runs_is_what_the_file_would_bring(gateway: Gateway, spawn: Spawn) -> None:
    source = random.Random(20260601)
    ports = [instance.port for instance in await spawn(6)]
    await gateway.start(some_topology(source, ports))
    without_reload = 0
    for turn in range(_TURNS):
        if source.random() < 0.1:
            Path(gateway.settings.haproxy_template).write_text(source.choice(_TEMPLATES))
            gateway.demand("the template changed")
        reloads = len(gateway.reloads)
        await gateway.reach(some_topology(source, ports))
        without_reload += len(gateway.reloads) == reloads
        await gateway.drained()
        await gateway.written()
        runs = await state(gateway)
        await gateway.haproxy.reload()
        await gateway.settled()
        assert runs == await state(gateway), f"in turn {turn}"
    assert without_reload > _TURNS / 3
