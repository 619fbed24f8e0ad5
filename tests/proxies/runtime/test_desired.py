"""Which vhosts have to be looked at, and which servers they should have."""

import time

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.nginx.plus.rig import app, topology

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import App, Host, HostGroup, Topology
from drove_gateway.proxies.nginx.adapter import NginxAdapter, Parameters
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.runtime.desired import DesiredServers
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules, desired_servers

RAW = Host("10.0.0.3", 25, "tcp")


async def lookup(name: str) -> list[str]:
    if name in {"node1", "node2"}:
        return ["10.0.0.9"]
    raise OSError(f"no resolver for {name}")


def adapter() -> NginxAdapter:
    metrics = CountingMetrics()
    client = Client(
        Access("127.0.0.1:1"), timeout=1, metrics=metrics, log=EventLog(structlog.get_logger())
    )
    return NginxAdapter(client, Parameters(0, "1s", "0s"), metrics=metrics, clock=lambda: 0.0)


def servers(*, reloads: bool = False, tag: str = "drain") -> DesiredServers:
    resolver = Resolver(lookup, timeout=1, ttl=30, clock=time.monotonic)
    rules = RuntimeRules(drain_timeout=30.0, drain_timeout_tag=tag)
    return desired_servers(rules, adapter(), resolver, reloads=reloads)


def due(desired: DesiredServers, new: Topology) -> dict[str, str]:
    return {b.vhost: desired.reason(b.vhost, new) for b in desired.due(new)}


def test_only_what_differs_is_due() -> None:
    desired = servers()
    old = topology({"a.example": ["10.0.0.1:80"], "b.example": ["10.0.0.2:80"], "c.example": []})
    new = topology(
        {
            "a.example": ["10.0.0.1:80"],
            "b.example": ["10.0.0.3:80", "10.0.0.4:80"],
            "d.example": ["10.0.0.5:80"],
        }
    )
    assert due(desired, old).keys() == old.apps.keys()
    desired.settle(old, lambda _: True)
    assert due(desired, new) == {
        "b.example": "+2 -1 servers",
        "c.example": "vhost removed",
        "d.example": "vhost added",
    }
    assert due(desired, old) == {}


def test_the_order_of_hosts_is_not_a_difference() -> None:
    first, two = ["10.0.0.1:80", "10.0.0.2:80"], ["10.0.0.2:80", "10.0.0.1:80"]
    desired = servers()
    desired.settle(topology({"a.example": first}), lambda _: True)
    assert due(desired, topology({"a.example": two})) == {}


def test_a_vhost_that_is_left_alone_is_never_due() -> None:
    group = {"a.example": HostGroup((RAW,), {})}
    raw = Topology({"a.example": App("a", "a.example", (RAW,), {}, group, "")}, {})
    desired = servers()
    assert due(desired, raw) == {}
    desired.settle(raw, lambda _: True)
    assert due(desired, Topology({}, {})) == {}


def test_what_is_not_settled_stays_due_also_when_its_vhost_left() -> None:
    desired = servers()
    both = topology({"a.example": ["10.0.0.1:80"], "b.example": ["10.0.0.2:80"]})
    desired.settle(both, lambda _: True)
    left = topology({"a.example": ["10.0.0.1:80"]})
    assert due(desired, left) == {"b.example": "vhost removed"}
    desired.settle(left, lambda backend: backend.vhost != "b.example")
    assert due(desired, left) == {"b.example": "vhost removed"}
    desired.settle(left, lambda _: True)
    assert due(desired, left) == {}


@pytest.mark.parametrize(("reloads", "seconds"), [(True, 0.0), (False, 7.0)])
def test_servers_of_a_vhost_that_left_are_out_before_a_reload_takes_their_upstream(
    reloads: bool, seconds: float
) -> None:
    desired = servers(reloads=reloads)
    tagged = Topology({"a.example": app("a.example", ["10.0.0.1:80"], {"drain": "7"})}, {})
    desired.settle(tagged, lambda _: True)
    (backend,) = desired.due(Topology({}, {}))
    assert (backend.servers, backend.patience) == ((), seconds)


def test_a_vhost_is_looked_at_again_when_its_servers_or_their_address_changed() -> None:
    desired = servers()
    both = topology({"a.example": ["node1:80"], "b.example": ["10.0.0.2:80"]})
    desired.settle(both, lambda _: True)
    assert desired.look_again_at_host("node1")
    assert not desired.look_again_at_host("node7")
    assert due(desired, both) == {"a.example": "node1 has another address"}
    desired.settle(both, lambda _: True)
    desired.look_again_at(["b.example"], "edited")
    assert due(desired, both) == {"b.example": "edited"}


async def test_two_names_of_one_address_are_the_same_server() -> None:
    resolver = Resolver(lookup, timeout=1, ttl=30, clock=time.monotonic)
    desired = desired_servers(RuntimeRules(), adapter(), resolver, reloads=False)
    named = topology({"a.example": ["node1:80", "node2:80", "::1:80", "[::2]:80"]})
    await resolver.resolve(["node1", "node2"])
    (backend,) = desired.due(named)
    assert {server.name for server in backend.servers} == {
        "10.0.0.9:80",
        "[::1]:80",
        "[::2]:80",
    }


async def test_a_host_without_an_address_is_reported_with_the_reason() -> None:
    resolver = Resolver(lookup, timeout=1, ttl=30, clock=time.monotonic)
    desired = desired_servers(RuntimeRules(), adapter(), resolver, reloads=False)
    named = topology({"a.example": ["nowhere:80"]})
    await resolver.resolve(["nowhere"])
    ((vhost, why),) = desired.unresolved(named)
    assert vhost == "a.example"
    assert why.startswith("host nowhere has no address, its servers are left out")
