"""What the calls of the API make of an upstream."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.nginx.lua.lua_modules import Modules, RefusedError

_MODULES = Modules()
_RUN = """
return function(steps)
    local upstreams = require("drove_gateway.upstream")
    local upstream = upstreams.new(1)
    for index = 1, #steps do
        local step = steps[index]
        local kind, now = step[1], 5000
        if kind == "add" then upstreams.add(upstream, step[2], now)
        elseif kind == "change" then upstreams.change(upstream, step[2], step[3], now)
        elseif kind == "remove" then upstreams.remove(upstream, step[2])
        elseif kind == "replace" then upstreams.replace(upstream, step[2], now)
        elseif kind == "patch" then
            upstreams.patch(upstream, step[2], step[3], step[4], now)
        end
    end
    return upstream
end
"""
A, B, C = "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"


def after(*steps: list[Any]) -> dict[str, Any]:
    result: dict[str, Any] = _MODULES.run(_RUN, steps)
    return result


def ids(upstream: dict[str, Any]) -> list[tuple[int, str]]:
    return [(server["id"], server["server"]) for server in upstream["servers"]]


def objects(*addresses: str, **fields: object) -> list[dict[str, object]]:
    return [{"server": address, **fields} for address in addresses]


def test_an_id_is_never_given_twice() -> None:
    upstream = after(["add", {"server": A}], ["remove", 0], ["add", {"server": A}])
    assert ids(upstream) == [(1, A)]


def test_an_address_may_stand_twice() -> None:
    assert ids(after(["add", {"server": A}], ["add", {"server": A}])) == [(0, A), (1, A)]


def test_replacing_keeps_the_ids_of_addresses_that_stay() -> None:
    upstream = after(["replace", objects(A, B)], ["replace", objects(C, B)])
    assert ids(upstream) == [(2, C), (1, B)]


def test_replacing_returns_what_is_not_stated_to_its_default() -> None:
    upstream = after(["replace", objects(A, weight=4, drain=True)], ["replace", objects(A)])
    assert upstream["servers"] == [{"id": 0, "server": A}]


@given(st.lists(st.lists(st.sampled_from([A, B, C]), max_size=5), min_size=1, max_size=4))
def test_after_replacing_exactly_the_stated_servers_are_there(states: list[list[str]]) -> None:
    upstream = after(*(["replace", objects(*state)] for state in states))
    assert [server["server"] for server in upstream["servers"]] == states[-1]
    assert len({server["id"] for server in upstream["servers"]}) == len(states[-1])


def test_a_patch_adds_changes_and_removes_by_address() -> None:
    upstream = after(["replace", objects(A, B)], ["patch", objects(C), objects(A, drain=True), [B]])
    assert upstream["servers"] == [
        {"id": 0, "server": A, "drain": True},
        {"id": 2, "server": C},
    ]


@pytest.mark.parametrize("patch", [[[], objects(C), []], [[], [], [C]]])
def test_a_patch_of_a_server_that_is_not_there_is_refused(patch: list[Any]) -> None:
    with pytest.raises(RefusedError, match="UpstreamServerNotFound"):
        after(["replace", objects(A)], ["patch", *patch])


def test_slow_start_begins_when_a_server_comes_or_comes_back() -> None:
    new = after(["add", {"server": A, "slow_start": "9s"}])
    assert new["servers"][0]["since"] == 5000
    assert "since" not in after(["add", {"server": A}])["servers"][0]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "UpstreamConfFormatError"),
        ({"server": A, "wieght": 1}, "UpstreamConfFormatError"),
        ({"server": A, "weight": [1]}, "UpstreamConfFormatError"),
        ({"server": A, "weight": 0}, "UpstreamBadWeight"),
        ({"server": A, "weight": "1"}, "UpstreamBadWeight"),
        ({"server": A, "max_conns": -1}, "UpstreamBadMaxConns"),
        ({"server": A, "max_fails": 1.5}, "UpstreamBadMaxFails"),
        ({"server": A, "fail_timeout": 10}, "UpstreamBadFailTimeout"),
        ({"server": A, "slow_start": "soon"}, "UpstreamBadSlowStart"),
        ({"server": A, "down": 1}, "UpstreamConfFormatError"),
        ({"server": A, "down": None}, "UpstreamConfFormatError"),
        ({"server": A, "route": "a"}, "UpstreamConfFormatError"),
        ({"server": A, "id": 3}, "UpstreamConfFormatError"),
        ([], "JsonError"),
    ],
)
def test_parameters_that_are_refused(fields: object, code: str) -> None:
    with pytest.raises(RefusedError, match=code):
        after(["add", fields])


@pytest.mark.parametrize("name", ["id", "backup", "service"])
def test_parameters_that_cannot_be_changed(name: str) -> None:
    with pytest.raises(RefusedError, match="UpstreamConfFormatError"):
        after(["add", {"server": A}], ["change", 0, {name: True}])
