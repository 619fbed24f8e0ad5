"""How the engine sees NGINX Plus: which hosts, under which names, and which process."""

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.nginx.plus.rig import app

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import App, Host, HostGroup
from drove_gateway.proxies.nginx.adapter import NginxAdapter, Parameters
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.runtime.servers import Action, Change, Process

WEB = Host("10.0.0.1", 80, "http")
TLS = Host("10.0.0.2", 443, "https")
RAW = Host("10.0.0.3", 25, "tcp")


@pytest.fixture
def adapter() -> NginxAdapter:
    metrics = CountingMetrics()
    client = Client(
        Access("127.0.0.1:1"), timeout=1, metrics=metrics, log=EventLog(structlog.get_logger())
    )
    parameters = Parameters(max_fails=0, fail_timeout="1000ms", slow_start="0")
    return NginxAdapter(client, parameters, metrics=metrics, clock=lambda: 0.0)


def grouped(**groups: tuple[Host, ...]) -> App:
    every = tuple(host for group in groups.values() for host in group)
    made = {name: HostGroup(group, {}) for name, group in groups.items()}
    return App("a.example", "a.example", every, {}, made, "color")


@pytest.mark.parametrize(
    ("grouping", "expected"),
    [
        (grouped(blue=(WEB,), green=(TLS,)), (WEB, TLS)),
        (grouped(blue=(WEB,), green=(RAW,)), (WEB,)),
        (grouped(blue=(WEB, RAW), green=(TLS,)), (TLS,)),
        (app("a.example", []), ()),
    ],
    ids=["all groups", "a raw group is left out", "with all its hosts", "no hosts"],
)
def test_which_hosts_go_into_an_upstream(
    adapter: NginxAdapter, grouping: App, expected: tuple[Host, ...]
) -> None:
    assert adapter.backends(grouping) == {"a.example": expected}
    assert adapter.balances(expected)


def test_an_upstream_without_a_balanced_host_is_left_alone(adapter: NginxAdapter) -> None:
    (hosts,) = adapter.backends(grouped(blue=(RAW,))).values()
    assert not adapter.balances(hosts)


@pytest.mark.parametrize(
    ("host", "ip", "name"),
    [
        ("10.0.0.1", "10.0.0.1", "10.0.0.1:80"),
        ("node1", "10.0.0.9", "10.0.0.9:80"),
        ("0:0::1", "0:0::1", "[::1]:80"),
        ("[::2]", "::2", "[::2]:80"),
        ("node1", "", "node1:80"),
    ],
)
def test_a_server_is_named_by_its_address(
    adapter: NginxAdapter, host: str, ip: str, name: str
) -> None:
    assert adapter.server_name(Host(host, 80, "http"), ip) == name


def test_equal_times_in_other_words_are_not_a_difference(adapter: NginxAdapter) -> None:
    assert adapter.abilities.parameters == (
        ("max_fails", 0),
        ("fail_timeout", 1000),
        ("slow_start", 0),
    )


@pytest.mark.parametrize(
    ("before", "now", "happened"),
    [
        ((3, 100), (3, 100), ""),
        ((3, 100), (4, 100), "NGINX was reloaded"),
        ((3, 100), (1, 200), "NGINX was restarted"),
        ((3, 100), (3, 200), "NGINX was restarted"),
        ((4, 100), (3, 100), ""),
    ],
    ids=["nothing", "reload", "restart", "restart to the same count", "an old worker answers"],
)
def test_what_happened_to_nginx(
    adapter: NginxAdapter, before: tuple[int, int], now: tuple[int, int], happened: str
) -> None:
    old, new = (Process(pid, generation=loads) for loads, pid in (before, now))
    assert adapter.replaced(old, new) == happened


@pytest.mark.parametrize("action", [Action.PUBLISH, Action.DELETE_BACKEND])
async def test_what_concerns_a_whole_upstream_is_never_sent_as_a_server(
    adapter: NginxAdapter, action: Action
) -> None:
    """Nobody listens at the API: a call would raise an error."""
    batch = await adapter.carry_out([Change(action, "a.example", "")])
    (result,) = batch.results
    assert result.state == "needs reload"
    assert action.value in result.problem
