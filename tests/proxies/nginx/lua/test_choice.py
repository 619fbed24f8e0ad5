"""Which server takes a request."""

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.nginx.lua.lua_modules import Modules

_MODULES = Modules()
_RUN = """
return function(case)
    local json = require("drove_gateway.json")
    local choice = require("drove_gateway.choice")
    local chosen = json.list()
    for _ = 1, case.requests do
        local server = choice.choose(case.servers, case.method, case.now, case.tried)
        chosen[#chosen + 1] = server and server.uid or json.null
        if server and case.keep then
            server.load.active = server.load.active + 1
        end
    end
    return chosen
end
"""


def server(uid: str, *, load: dict[str, float] | None = None, **fields: Any) -> dict[str, Any]:
    defaults = {
        "uid": uid,
        "weight": 1,
        "limit": 0,
        "since": 0,
        "slow_start": 0,
        "backup": False,
        "down": False,
        "drain": False,
        "load": {"active": 0, "current": 0, "blocked": 0, **(load or {})},
    }
    return {**defaults, **fields}


def chosen(
    *servers: dict[str, Any],
    requests: int = 1,
    method: str = "round_robin",
    now: float = 1000.0,
    tried: tuple[str, ...] = (),
    keep: bool = False,
) -> list[str | None]:
    """Uids of the servers that so many requests are sent to; with `keep`, none of them ends."""
    case = {
        "servers": servers,
        "requests": requests,
        "method": method,
        "now": now,
        "tried": dict.fromkeys(tried, True),
        "keep": keep,
    }
    result: list[str | None] = _MODULES.run(_RUN, case)
    return result


def test_weighted_round_robin_is_smooth() -> None:
    servers = server("a", weight=5), server("b"), server("c")
    assert chosen(*servers, requests=7) == list("aabacaa")


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(1, 3))
def test_each_server_gets_its_weight_in_every_round(weights: list[int], rounds: int) -> None:
    servers = [server(str(number), weight=weight) for number, weight in enumerate(weights)]
    counted = Counter(chosen(*servers, requests=sum(weights) * rounds))
    assert counted == {str(number): weight * rounds for number, weight in enumerate(weights)}


def test_least_conn_prefers_the_least_busy_server_by_weight() -> None:
    servers = server("a", load={"active": 4}), server("b", weight=4, load={"active": 8})
    assert chosen(*servers, method="least_conn") == ["b"]
    assert (
        Counter(chosen(server("a"), server("b"), requests=10, method="least_conn", keep=True))["a"]
        == 5
    )


def test_servers_that_are_down_drained_or_tried_get_nothing() -> None:
    servers = server("a", down=True), server("b", drain=True), server("c"), server("d")
    assert set(chosen(*servers, requests=9)) == {"c", "d"}
    assert chosen(*servers, tried=("c",)) == ["d"]
    assert chosen(*servers, tried=("c", "d")) == [None]


def test_backups_serve_only_when_no_other_server_can() -> None:
    failed = {"blocked": 1010.0}
    assert set(chosen(server("a"), server("b", backup=True), requests=5)) == {"a"}
    assert chosen(server("a", load=failed), server("b", backup=True)) == ["b"]


def test_a_failed_server_rests_until_its_time_is_over() -> None:
    servers = server("a", load={"blocked": 1010.0}), server("b")
    assert set(chosen(*servers, requests=6, now=1009.0)) == {"b"}
    assert set(chosen(*servers, requests=6, now=1010.0)) == {"a", "b"}


def test_when_all_have_failed_they_are_tried_nevertheless() -> None:
    failed = [server(uid, load={"blocked": 1010.0}) for uid in "ab"]
    assert set(chosen(*failed, requests=4)) == {"a", "b"}
    assert chosen(*failed, tried=("a", "b")) == [None]


def test_max_conns_is_never_exceeded() -> None:
    servers = server("a", limit=2), server("b", limit=1)
    assert sorted(map(str, chosen(*servers, requests=5, keep=True))) == [
        *("None", "None"),
        *("a", "a", "b"),
    ]


def test_slow_start_lets_the_share_of_a_new_server_grow() -> None:
    def share(now: float) -> int:
        servers = server("a"), server("new", since=1000.0, slow_start=10.0)
        return Counter(chosen(*servers, requests=1000, now=now))["new"]

    assert share(1000.0) <= 2
    assert 300 <= share(1005.0) <= 350
    assert share(1010.0) == 500


def test_without_servers_there_is_no_choice() -> None:
    assert chosen() == [None]
