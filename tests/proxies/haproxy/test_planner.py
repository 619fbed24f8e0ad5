"""Tables: servers that are, servers that should be, and the commands that follow."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.haproxy.imitation import Model, Server

from drove_gateway.model.vocabulary import Host
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.ledger import Entry, Stage
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.planner import (
    Action,
    Change,
    Target,
    Wanted,
    changes,
    commands_for,
    settled,
    wanted,
)

PLAIN = Options()
CHECKED = Options(attributes="check inter 1s")


def server(number: int) -> Wanted:
    return Wanted(f"server_10.0.0.{number}_80", f"10.0.0.{number}", 80, https=False)


def running(number: int, admin: int = 0, weight: int = 1) -> dict[str, Server]:
    return {f"server_10.0.0.{number}_80": Server(f"10.0.0.{number}", 80, admin, weight)}


def plan(
    seen: dict[str, Server],
    should: list[Wanted],
    options: Options = PLAIN,
    ledger: dict[str, Entry] | None = None,
) -> list[Change]:
    shown = Model({"b": dict(seen)}).answer("show servers state b")
    found = state.servers(shown).get("b", {})
    return changes(Target("b", "b", tuple(should)), found, ledger or {}, options)


def commands(found: list[Change], options: Options = PLAIN) -> list[str]:
    return [command.text for change in found for command in commands_for(change, options)]


def test_what_is_as_it_should_be_is_not_touched() -> None:
    assert plan(running(1), [server(1)]) == []


def test_a_new_server_is_added_and_made_ready() -> None:
    assert commands(plan({}, [server(1)])) == [
        "add server b/server_10.0.0.1_80 10.0.0.1:80",
        "set server b/server_10.0.0.1_80 state ready",
    ]


def test_additions_come_before_removals_and_keep_the_vhosts_order() -> None:
    found = plan({**running(1), **running(2)}, [server(2), server(4), server(3)])
    assert [(one.action, one.name) for one in found] == [
        (Action.ADD, server(4).name),
        (Action.ADD, server(3).name),
        (Action.DRAIN, server(1).name),
    ]


def test_every_change_has_a_reason() -> None:
    (step,) = [one.step() for one in plan(running(1), [])]
    assert (step.action, step.subject, step.reason) == (
        "drain server",
        "b/server_10.0.0.1_80",
        "not wanted any more",
    )


def test_an_https_host_gets_the_options_for_tls_too() -> None:
    options = Options(attributes="on-marked-down shutdown-sessions")
    one = Wanted("server_10.0.0.1_443", "10.0.0.1", 443, https=True)
    assert commands(plan({}, [one], options), options)[0] == (
        "add server b/server_10.0.0.1_443 10.0.0.1:443 on-marked-down shutdown-sessions ssl "
        "verify none"
    )


def test_an_ipv6_address_stands_in_brackets_and_its_name_has_no_colons() -> None:
    (one,) = wanted([Host("2001:db8::1", 80, "http")], Naming(), {"2001:db8::1": "2001:db8::1"})
    assert commands(plan({}, [one]))[0] == ("add server b/server_2001_db8__1_80 [2001:db8::1]:80")


def test_names_are_made_of_all_settings() -> None:
    naming = Naming(server_prefix="drove", host_port_delimiter="-")
    (one,) = wanted([Host("10.0.0.1", 80, "http")], naming, {"10.0.0.1": "10.0.0.1"})
    assert one.name == "drove-10.0.0.1-80"


def test_another_address_is_followed() -> None:
    moved = {"server_node_80": Server("10.0.0.7", 80)}
    one = Wanted("server_node_80", "10.0.0.8", 80, https=False)
    assert commands(plan(moved, [one])) == ["set server b/server_node_80 addr 10.0.0.8 port 80"]


def test_a_server_that_haproxy_started_without_an_address_is_replaced() -> None:
    lost = {"server_node_80": Server("-", 80, admin=32)}
    one = Wanted("server_node_80", "10.0.0.8", 80, https=False)
    assert commands(plan(lost, [one])) == [
        "set server b/server_node_80 state maint",
        "del server b/server_node_80",
        "add server b/server_node_80 10.0.0.8:80",
        "set server b/server_node_80 state ready",
    ]
    nowhere = Wanted("server_node_80", "", 80, https=False)
    assert plan({**lost, **running(1)}, [nowhere]) == []


@pytest.mark.parametrize("admin", [1, 8])
def test_what_an_operator_drained_or_stopped_stays_so(admin: int) -> None:
    assert plan(running(1, admin=admin), [server(1)]) == []


def test_a_server_that_fails_its_checks_is_not_forced_up() -> None:
    (one,) = running(1).values()
    one.up = False
    assert plan({server(1).name: one}, [server(1)]) == []


def test_a_weight_set_by_hand_stays() -> None:
    assert plan(running(1, weight=7), [server(1)]) == []


@pytest.mark.parametrize("stage", [Stage.DRAINING, Stage.LEAVING, Stage.PINNED])
def test_a_server_that_is_wanted_again_is_made_ready(stage: Stage) -> None:
    admin = 8 if stage is Stage.DRAINING else 1
    found = plan(running(1, admin=admin), [server(1)], ledger={server(1).name: Entry(stage)})
    assert commands(found) == ["set server b/server_10.0.0.1_80 state ready"]


def test_an_addition_that_was_cut_short_is_finished() -> None:
    found = plan(running(1, admin=1), [server(1)], ledger={server(1).name: Entry(Stage.ADDING)})
    assert commands(found) == ["set server b/server_10.0.0.1_80 state ready"]


def test_a_server_that_drains_already_is_left_to_it() -> None:
    assert plan(running(1, admin=8), [], ledger={server(1).name: Entry(Stage.DRAINING)}) == []


def test_a_draining_server_that_was_made_ready_by_hand_drains_again() -> None:
    found = plan(running(1), [], ledger={server(1).name: Entry(Stage.DRAINING)})
    assert [one.action for one in found] == [Action.DRAIN]


def test_an_unwanted_server_that_an_operator_drained_is_removed() -> None:
    assert [one.action for one in plan(running(1, admin=8), [])] == [Action.DRAIN]


def test_a_server_under_another_name_is_the_operators() -> None:
    assert plan({"sorry": Server("10.9.9.9", 80)}, []) == []


def test_a_server_under_another_name_that_doubles_a_wanted_one_goes() -> None:
    found = plan({"web1": Server("10.0.0.1", 80)}, [server(1)])
    assert [(one.action, one.name) for one in found] == [
        (Action.ADD, server(1).name),
        (Action.DRAIN, "web1"),
    ]


def test_a_host_without_an_address_is_left_out() -> None:
    nowhere = Wanted("server_node_80", "", 80, https=False)
    assert commands(plan({}, [nowhere])) == []


def test_a_running_server_whose_name_no_longer_resolves_stays_where_it_is() -> None:
    nowhere = Wanted("server_node_80", "", 80, https=False)
    assert plan({"server_node_80": Server("10.0.0.7", 80)}, [nowhere]) == []


def test_the_last_servers_stay_while_the_new_ones_have_no_address() -> None:
    nowhere = Wanted("server_node_80", "", 80, https=False)
    assert plan(running(1), [nowhere]) == []
    assert [one.action for one in plan(running(1), [nowhere, server(2)])] == [
        Action.ADD,
        Action.DRAIN,
    ]


def test_a_checked_server_waits_in_drain_while_another_one_serves() -> None:
    found = plan(running(1), [server(1), server(2)], CHECKED)
    assert commands(found, CHECKED) == [
        "add server b/server_10.0.0.2_80 10.0.0.2:80 check inter 1s",
        "enable health b/server_10.0.0.2_80",
        "set server b/server_10.0.0.2_80 state drain",
    ]


def test_a_checked_server_serves_at_once_where_nobody_else_does() -> None:
    assert commands(plan(running(1, admin=1), [server(2)], CHECKED), CHECKED)[:3] == [
        "add server b/server_10.0.0.2_80 10.0.0.2:80 check inter 1s",
        "enable health b/server_10.0.0.2_80",
        "set server b/server_10.0.0.2_80 state ready",
    ]


def test_the_last_servers_stay_while_the_new_ones_are_probed() -> None:
    found = plan(running(1), [server(2)], CHECKED)
    assert [one.action for one in found] == [Action.PROBE]
    both = {**running(1), **running(2, admin=8)}
    probing = {server(2).name: Entry(Stage.PROBING)}
    assert plan(both, [server(2)], CHECKED, probing) == []
    assert [one.action for one in plan({**running(1), **running(2)}, [server(2)], CHECKED)] == [
        Action.DRAIN
    ]


NUMBERS = st.sets(st.integers(1, 6))
ADMIN = st.dictionaries(st.integers(1, 6), st.sampled_from([0, 0, 1, 8]))
STAGES = st.dictionaries(
    st.integers(1, 6), st.sampled_from([Stage.ADDING, Stage.DRAINING, Stage.LEAVING])
)
_ADMIN_OF = {Stage.ADDING: 1, Stage.DRAINING: 8, Stage.LEAVING: 1}


@given(before=NUMBERS, after=NUMBERS, by_hand=ADMIN, ours=STAGES, moved=NUMBERS)
def test_the_commands_lead_to_the_topology_and_touch_nothing_else(
    before: set[int],
    after: set[int],
    by_hand: dict[int, int],
    ours: dict[int, Stage],
    moved: set[int],
) -> None:
    seen: dict[str, Server] = {}
    ledger: dict[str, Entry] = {}
    for number in before:
        (name,) = running(number)
        admin = by_hand.get(number, 0)
        if number in ours:
            admin = _ADMIN_OF[ours[number]]
            ledger[name] = Entry(ours[number])
        address = "10.9.9.9" if number in moved else f"10.0.0.{number}"
        seen[name] = Server(address, 80, admin=admin)
    model = Model({"b": seen})
    target = Target("b", "b", tuple(server(number) for number in after))
    found = changes(
        target, state.servers(model.answer("show servers state")).get("b", {}), ledger, PLAIN
    )
    for command in commands(found):
        model.answer(command)

    result = model.backends["b"]
    for number in after:
        one = result[server(number).name]
        assert (one.address, one.port) == (f"10.0.0.{number}", 80)
        is_by_hand = number in before and number not in ours
        assert one.admin == (by_hand.get(number, 0) if is_by_hand else 0)
    for number in before - after:
        assert result[server(number).name].admin != 0
    as_it_should = {
        server(number).name
        for number in before & after
        if number not in ours and number not in moved
    }
    assert not {name for _, name in model.touched} & as_it_should
    actions = [one.action for one in found]
    assert actions == sorted(actions, key=lambda action: action is Action.DRAIN)
    left = {name: entry for name, entry in ledger.items() if name not in wanted_names(after)}
    left |= {one.name: Entry(Stage.DRAINING) for one in found if one.action is Action.DRAIN}
    now = state.servers(model.answer("show servers state")).get("b", {})
    assert changes(target, now, left, PLAIN) == []
    assert settled(target, now, left, Naming())


def wanted_names(numbers: set[int]) -> set[str]:
    return {server(number).name for number in numbers}
