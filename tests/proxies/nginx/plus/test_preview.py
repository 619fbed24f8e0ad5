"""What would change in NGINX Plus is known from GET requests alone."""

import time
from collections.abc import AsyncIterator

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.nginx.plus.rig import topology
from tests.standins.nginx_plus.server import NginxPlus, running

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.preview import Observation
from drove_gateway.proxies.nginx.adapter import NginxAdapter, Parameters
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.runtime.preview import preview_servers
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules

A, B, C = (f"10.0.0.{n}:80" for n in range(1, 4))
PARAMETERS = "max_fails=0 fail_timeout=1s slow_start=0s"
ONE = (
    "upstream a.example { zone a 64k; "
    f"server {A} {PARAMETERS}; server {B} max_fails=3 fail_timeout=1s; server {C} {PARAMETERS}; }}"
)


@pytest.fixture
async def nginx() -> AsyncIterator[NginxPlus]:
    async with running(NginxPlus(ONE)) as nginx:
        yield nginx


async def no_names(name: str) -> list[str]:
    raise OSError(f"no resolver for {name}")


async def look(
    nginx: NginxPlus, desired: Topology, *, drain: bool = True, by_reload: bool = True
) -> Observation:
    metrics = CountingMetrics()
    client = Client(
        Access(nginx.api_address), timeout=2, metrics=metrics, log=EventLog(structlog.get_logger())
    )
    parameters = Parameters(max_fails=0, fail_timeout="1s", slow_start="0s")
    try:
        return await preview_servers(
            NginxAdapter(client, parameters, metrics=metrics, clock=time.monotonic),
            RuntimeRules(drain_timeout=30.0 if drain else 0.0),
            Resolver(no_names, timeout=0.5, ttl=30, clock=time.monotonic),
            desired,
            reloads=by_reload,
            clock=time.monotonic,
        )
    finally:
        await client.close()


def actions(seen: Observation) -> list[tuple[str, str]]:
    return [(step.action, step.subject) for step in seen.steps]


async def test_each_server_that_differs_is_a_step_and_only_gets_are_sent(nginx: NginxPlus) -> None:
    seen = await look(nginx, topology({"a.example": [A, B, "10.0.0.4:80"]}))

    assert actions(seen) == [
        ("add server", "a.example/10.0.0.4:80"),
        ("change server", f"a.example/{B}"),
        ("drain server", f"a.example/{C}"),
    ]
    assert nginx.servers("a.example") == [A, B, C]
    assert nginx.api.log
    assert {method for method, _ in nginx.api.log} == {"GET"}


async def test_without_drains_a_server_would_be_deleted(nginx: NginxPlus) -> None:
    seen = await look(nginx, topology({"a.example": [A]}), drain=False)
    assert ("delete server", f"a.example/{C}") in actions(seen)


async def test_an_upstream_that_is_not_there_comes_with_a_reload(nginx: NginxPlus) -> None:
    seen = await look(nginx, topology({"b.example": [A]}))
    assert seen.reload == ("NGINX Plus has no upstream b.example",)
    assert seen.steps == ()


async def test_without_reloads_its_servers_are_added(nginx: NginxPlus) -> None:
    seen = await look(nginx, topology({"b.example": [A]}), by_reload=False)
    assert seen.reload == ()
    assert actions(seen) == [("add server", f"b.example/{A}")]


async def test_while_a_name_has_no_address_no_server_would_leave(nginx: NginxPlus) -> None:
    seen = await look(nginx, topology({"a.example": [A, "nowhere.example:80"]}))
    assert actions(seen) == []
    assert any("nowhere.example has no address" in note for note in seen.notes)


async def test_an_api_that_is_down_is_reported(nginx: NginxPlus) -> None:
    await nginx.stop()
    seen = await look(nginx, topology({"a.example": [A]}))
    assert (seen.steps, seen.reload) == ((), ())
    assert "NGINX Plus's servers cannot be read" in seen.notes[0]


async def test_an_api_that_refuses_is_reported(nginx: NginxPlus) -> None:
    nginx.api.user, nginx.api.password = "gateway", "hush-hush"
    seen = await look(nginx, topology({"a.example": [A]}))
    assert "401" in seen.notes[0]
    assert "nginxplusapi_user" in seen.notes[0]
    assert not seen.complete
