"""One table for every kind of runtime API: servers that are, servers that should be, changes.

Servers are numbers here: server 1 is `server_10.0.0.1_80` to HAProxy and `10.0.0.1:80` to NGINX
Plus. Where a row cannot occur with an API, its column is `None`.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.ledger import Entry, Stage
from drove_gateway.proxies.runtime.planner import additions_first, changes, deletions, settled
from drove_gateway.proxies.runtime.servers import (
    REMOVALS,
    Action,
    Change,
    DesiredBackend,
    DesiredServer,
    ObservedServer,
    Result,
    after,
)

ADD, PROBE, MOVE, REPLACE = Action.ADD, Action.PROBE, Action.MOVE, Action.REPLACE
READY, UPDATE, DRAIN, DELETE = Action.READY, Action.UPDATE, Action.DRAIN, Action.DELETE

PARAMETERS = (("max_fails", 0), ("fail_timeout", 1000), ("slow_start", 0))
HAPROXY = Abilities(named_by_host=True)
CHECKED = Abilities(named_by_host=True, probes=True)
PLUS = Abilities(deletes_busy=True, parameters=PARAMETERS)


def name(number: int, abilities: Abilities) -> str:
    if abilities.named_by_host:
        return f"server_10.0.0.{number}_80"
    return f"10.0.0.{number}:80"


def wanted(number: int, abilities: Abilities, *, address: bool = True) -> DesiredServer:
    """Server `number`; without an `address` the name of its host does not resolve."""
    ip = f"10.0.0.{number}" if address else ""
    known = address or abilities.named_by_host
    return DesiredServer(name(number, abilities) if known else f"host{number}:80", ip, 80)


class Seen(msgspec.Struct, frozen=True):
    """A server as a row has it. `id` stands for NGINX's; HAProxy knows servers by their names."""

    number: int
    id: int = 0
    held: str = ""
    serving: bool = True
    changed: dict[str, Any] = {}

    def observed(self, abilities: Abilities) -> ObservedServer:
        server = ObservedServer(
            name(self.number, abilities),
            f"10.0.0.{self.number}",
            80,
            serving=self.serving and not self.held,
            held=self.held,  # type: ignore[arg-type]
            handle=None if abilities.named_by_host else self.id,
            parameters=() if abilities.named_by_host else PARAMETERS,
        )
        return msgspec.structs.replace(server, **self.changed)


def up(number: int, at: int = 0, **changed: Any) -> Seen:
    return Seen(number, at, changed=changed)


def drained(number: int, at: int = 0) -> Seen:
    return Seen(number, at, "drain")


def stopped(number: int, at: int = 0) -> Seen:
    return Seen(number, at, "maintenance")


def failing(number: int) -> Seen:
    return Seen(number, serving=False)


Nowhere = tuple[int]
"""A wanted server whose host has no address."""
Changes = list[tuple[Action, int]]

NO_ADDRESS: dict[str, Any] = {"address": ""}
ELSEWHERE: dict[str, Any] = {"address": "10.9.9.9"}
FOREIGN: dict[str, Any] = {"name": "sorry", "ours": False}

# What is wanted, what is there, the gateway's own stages; HAProxy, HAProxy with checks, Plus.
Row = tuple[
    Sequence[int | Nowhere],
    Sequence[Seen],
    dict[int, Stage],
    Changes | None,
    Changes | None,
    Changes | None,
]
TABLE: dict[str, Row] = {
    "a server that is as it should be is not touched": ([1], [up(1)], {}, [], [], []),
    "an empty backend is filled": (
        [1, 2],
        [],
        {},
        [(ADD, 1), (ADD, 2)],
        [(ADD, 1), (ADD, 2)],
        [(ADD, 1), (ADD, 2)],
    ),
    "a replacement is added before the old server drains": (
        [2],
        [up(1)],
        {},
        [(ADD, 2), (DRAIN, 1)],
        [(PROBE, 2)],
        [(ADD, 2), (DRAIN, 1)],
    ),
    "additions come before removals and keep the vhost's order": (
        [2, 4, 3],
        [up(1), up(2)],
        {},
        [(ADD, 4), (ADD, 3), (DRAIN, 1)],
        [(PROBE, 4), (PROBE, 3), (DRAIN, 1)],
        [(ADD, 4), (ADD, 3), (DRAIN, 1)],
    ),
    "the order of servers is not a difference": ([2, 1], [up(1), up(2)], {}, [], [], []),
    "a server wanted twice is added once": ([1, 1], [], {}, [(ADD, 1)], [(ADD, 1)], [(ADD, 1)]),
    "another address is followed": (
        [1],
        [up(1, **ELSEWHERE)],
        {},
        [(MOVE, 1)],
        [(MOVE, 1)],
        None,
    ),
    "a server without an address in the proxy is replaced": (
        [1],
        [up(1, **NO_ADDRESS)],
        {},
        [(REPLACE, 1)],
        [(REPLACE, 1)],
        None,
    ),
    "an operator's drain stays": ([1], [drained(1)], {}, [], [], []),
    "an operator's maintenance stays": ([1], [stopped(1)], {}, [], [], []),
    "a server that fails its checks is not forced up": ([1], [failing(1)], {}, [], [], []),
    "a draining server that is wanted again is made ready": (
        [1],
        [drained(1)],
        {1: Stage.DRAINING},
        [(READY, 1)],
        [(READY, 1)],
        [(READY, 1)],
    ),
    "a server about to be deleted that is wanted again is made ready": (
        [1],
        [stopped(1)],
        {1: Stage.LEAVING},
        [(READY, 1)],
        [(READY, 1)],
        [(READY, 1)],
    ),
    "a server that could not be deleted and is wanted again is made ready": (
        [1],
        [stopped(1)],
        {1: Stage.PINNED},
        [(READY, 1)],
        [(READY, 1)],
        None,
    ),
    "a drain of the gateway that an operator ended needs nothing": (
        [1],
        [up(1)],
        {1: Stage.DRAINING},
        [],
        [],
        [],
    ),
    "an addition that was interrupted is finished": (
        [1],
        [stopped(1)],
        {1: Stage.ADDING},
        [(READY, 1)],
        [(READY, 1)],
        None,
    ),
    "a server that already drains keeps draining": (
        [],
        [drained(1)],
        {1: Stage.DRAINING},
        [],
        [],
        [],
    ),
    "a draining server that an operator made ready drains again": (
        [],
        [up(1)],
        {1: Stage.DRAINING},
        [(DRAIN, 1)],
        [(DRAIN, 1)],
        [(DRAIN, 1)],
    ),
    "an operator's drain of a server that leaves is taken over": (
        [],
        [drained(1)],
        {},
        [(DRAIN, 1)],
        [(DRAIN, 1)],
        [(DRAIN, 1)],
    ),
    "a server under another name is the operator's": ([], [up(9, **FOREIGN)], {}, [], [], None),
    "a server under another name that duplicates a wanted server leaves": (
        [1],
        [up(1, **FOREIGN)],
        {},
        [(ADD, 1), (DRAIN, 1)],
        [(PROBE, 1)],
        None,
    ),
    "a host without an address is left out": ([(1,)], [], {}, [], [], []),
    "a running server whose host no longer resolves stays": (
        [(1,)],
        [up(1)],
        {},
        [],
        [],
        [],
    ),
    "the last servers stay while the new ones have no address": (
        [(2,)],
        [up(1)],
        {},
        [],
        [],
        [],
    ),
    "with a new server in traffic the old ones leave, unless they may be the unknown one": (
        [(3,), 2],
        [up(1)],
        {},
        [(ADD, 2), (DRAIN, 1)],
        [(PROBE, 2)],
        [(ADD, 2)],
    ),
    "a checked server waits for its check while another server serves": (
        [1, 2],
        [up(1)],
        {},
        [(ADD, 2)],
        [(PROBE, 2)],
        [(ADD, 2)],
    ),
    "a checked server serves immediately where no other server does": (
        [2],
        [stopped(1)],
        {},
        [(ADD, 2), (DRAIN, 1)],
        [(ADD, 2), (DRAIN, 1)],
        [(ADD, 2), (DRAIN, 1)],
    ),
    "the last servers stay while the new ones are probed": (
        [2],
        [up(1), drained(2)],
        {2: Stage.PROBING},
        None,
        [],
        None,
    ),
    "once a new server serves, the old ones leave": (
        [2],
        [up(1), up(2)],
        {},
        [(DRAIN, 1)],
        [(DRAIN, 1)],
        [(DRAIN, 1)],
    ),
    "other parameters are changed in place": (
        [1],
        [up(1, parameters=(("max_fails", 1), ("fail_timeout", 10_000)))],
        {},
        None,
        None,
        [(UPDATE, 1)],
    ),
    "parameters that the reply does not show are not a difference": (
        [1],
        [up(1, parameters=())],
        {},
        None,
        None,
        [],
    ),
    "capacity is added before it is taken": (
        [1, 2],
        [drained(1, 0), up(3, 1), up(2, 2, parameters=(("max_fails", 9),)), up(2, 3)],
        {1: Stage.DRAINING},
        None,
        None,
        [(READY, 1), (UPDATE, 2), (DELETE, 2), (DRAIN, 3)],
    ),
    "both of two unwanted duplicates drain": (
        [],
        [up(1, 0), up(1, 1)],
        {},
        None,
        None,
        [(DRAIN, 1), (DRAIN, 1)],
    ),
}


def backend(servers: Sequence[DesiredServer], patience: float = 30.0) -> DesiredBackend:
    return DesiredBackend("b", "b", tuple(servers), patience)


def plan(
    want: Sequence[int | Nowhere],
    seen: Sequence[Seen],
    abilities: Abilities,
    ledger: dict[int, Stage] | None = None,
    patience: float = 30.0,
) -> list[Change]:
    desired = [
        wanted(at, abilities) if isinstance(at, int) else wanted(at[0], abilities, address=False)
        for at in want
    ]
    entries = {name(number, abilities): Entry(stage) for number, stage in (ledger or {}).items()}
    observed = [server.observed(abilities) for server in seen]
    return changes(backend(desired, patience), observed, entries, abilities)


@pytest.mark.parametrize(
    ("abilities", "column"),
    [(HAPROXY, 3), (CHECKED, 4), (PLUS, 5)],
    ids=["HAProxy", "HAProxy with checks", "NGINX Plus"],
)
@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE.keys())
def test_the_plan_for(row: Row, abilities: Abilities, column: int) -> None:
    want, seen, ledger, *expected = row
    if (found := expected[column - 3]) is None:
        return
    planned = plan(want, seen, abilities, ledger)
    numbers = {name(number, abilities): number for number in range(1, 10)} | {"sorry": 1}
    assert [(change.action, numbers[change.name]) for change in planned] == found
    assert all(change.reason for change in planned)


def test_of_duplicates_the_first_one_in_traffic_stays() -> None:
    of_three = plan([1], [up(1, 5), up(1, 2), up(1, 7)], PLUS)
    assert [(c.action, c.handle, c.remaining) for c in of_three] == [
        (DELETE, 5, 2),
        (DELETE, 7, 1),
    ]
    in_drain = plan([1], [drained(1, 1), up(1, 2)], PLUS, {1: Stage.DRAINING})
    assert [(c.action, c.handle) for c in in_drain] == [(DELETE, 1)]


def test_only_the_parameters_that_differ_are_changed() -> None:
    (change,) = plan([1], [up(1, 3, parameters=(*PARAMETERS[:2], ("slow_start", 5000)))], PLUS)
    assert (change.action, change.handle) == (UPDATE, 3)
    assert change.differing == ("slow_start",)
    assert change.reason == "has other slow_start"


def test_without_a_drain_servers_are_deleted_where_that_lets_requests_finish() -> None:
    seen = [up(1, 0), drained(2, 1)]
    assert [(c.action, c.handle) for c in plan([], seen, PLUS, patience=0)] == [
        (DELETE, 0),
        (DELETE, 1),
    ]
    assert {c.action for c in plan([], seen, HAPROXY, patience=0)} == {DRAIN}


def test_a_step_says_what_happens_to_which_server_and_why() -> None:
    (change,) = plan([], [up(1)], HAPROXY)
    step = change.step()
    assert (step.action, step.subject) == ("drain server", "b/server_10.0.0.1_80")
    assert step.reason == "no longer wanted"


def test_removals_wait_until_a_wanted_server_is_there() -> None:
    replaced = plan([2], [up(1)], PLUS)
    desired = {"b": backend([wanted(2, PLUS)])}
    before = {"b": [up(1).observed(PLUS)]}
    assert [c.action for c in additions_first(replaced, desired, before)] == [ADD]
    both = {"b": [up(1).observed(PLUS), up(2).observed(PLUS)]}
    assert [c.action for c in additions_first(replaced, desired, both)] == [ADD, DRAIN]
    emptied = plan([], [up(1)], PLUS)
    assert additions_first(emptied, {"b": backend([])}, before) == emptied


@pytest.mark.parametrize(
    ("server", "now", "deleted"),
    [
        (drained(1), 50.0, True),
        (stopped(1), 50.0, True),
        (Seen(1, held="drain", changed={"active": 1}), 50.0, False),
        (Seen(1, held="drain", changed={"active": 1}), 100.0, True),
        (up(1), 50.0, False),
        (up(1), 100.0, True),
        (drained(2), 200.0, False),
    ],
    ids=[
        "idle",
        "idle and stopped",
        "busy",
        "busy at its deadline",
        "idle but still in traffic",
        "in traffic at its deadline",
        "drained by somebody else",
    ],
)
def test_which_drained_servers_are_deleted(server: Seen, now: float, deleted: bool) -> None:
    for abilities in (HAPROXY, PLUS):
        ledger = {name(1, abilities): Entry(Stage.DRAINING, 100.0)}
        found = deletions("b", [server.observed(abilities)], ledger, now)
        assert [(c.action, c.name) for c in found] == [(DELETE, name(1, abilities))] * deleted
        assert [c.busy for c in found] == [server.changed.get("active", 0) > 0] * deleted


# Laws: the plan is carried out on a model of a proxy.

NUMBERS = st.lists(st.integers(1, 6), max_size=6)
STAGES = st.dictionaries(st.integers(1, 6), st.sampled_from([Stage.DRAINING, Stage.LEAVING]))


@st.composite
def standing(draw: st.DrawFn, abilities: Abilities) -> list[ObservedServer]:
    """Servers in any state; with NGINX Plus also duplicates and other parameters."""
    numbers = draw(st.lists(st.integers(1, 6), max_size=9, unique=abilities.named_by_host))
    parameters = st.sampled_from([PARAMETERS, (), (("max_fails", 1),)])
    return [
        msgspec.structs.replace(
            Seen(number, at, draw(st.sampled_from(["", "", "drain", "maintenance"]))).observed(
                abilities
            ),
            parameters=() if abilities.named_by_host else draw(parameters),
        )
        for at, number in enumerate(numbers)
    ]


def carry_out(planned: Sequence[Change], servers: list[ObservedServer]) -> list[ObservedServer]:
    """What a proxy has after `planned`."""
    for change in planned:
        new = max((s.handle for s in servers if s.handle is not None), default=-1) + 1
        handle = new if change.action is ADD and servers_have_ids(servers) else change.handle
        by_name = {s.name: s for s in servers if change.handle in (None, s.handle)}
        before = by_name.get(change.name, ObservedServer(change.name))
        result = ObservedServer(
            change.name,
            change.address or before.address,
            change.port or before.port,
            held=before.held,
            handle=handle,
            parameters=PARAMETERS,
        )
        if change.action in {ADD, READY}:
            result = msgspec.structs.replace(result, held="", serving=True)
        elif change.action is DRAIN:
            result = msgspec.structs.replace(result, held="drain", serving=False)
        if change.handle is None and change.action is not DELETE:
            servers = [s for s in servers if s.name != change.name]
        done = Result(server=None if change.action is DELETE else result)
        servers = after(servers, [(change, done)])
    return servers


def servers_have_ids(servers: Sequence[ObservedServer]) -> bool:
    return any(server.handle is not None for server in servers)


@pytest.mark.parametrize("abilities", [HAPROXY, PLUS], ids=["HAProxy", "NGINX Plus"])
@given(data=st.data(), want=NUMBERS, ours=STAGES)
def test_a_plan_leads_to_what_is_wanted_and_then_nothing_is_left(
    abilities: Abilities, data: st.DataObject, want: list[int], ours: dict[int, Stage]
) -> None:
    observed = data.draw(standing(abilities))
    ledger = {
        server.name: Entry(ours[number])
        for number in ours
        for server in observed
        if server.name == name(number, abilities) and server.held
    }
    desired = backend([wanted(number, abilities) for number in want])
    planned = changes(desired, observed, ledger, abilities)
    result = carry_out(planned, observed)

    names = {name(number, abilities) for number in want}
    assert sorted(s.name for s in result if s.name in names) == sorted(names)
    assert all(s.held for s in result if s.name not in names)
    for server in result:
        if server.name in ledger and server.name in names:
            assert not server.held
    left = {at: entry for at, entry in ledger.items() if at not in names}
    left |= {c.name: Entry(Stage.DRAINING) for c in planned if c.action is DRAIN}
    assert changes(desired, result, left, abilities) == []
    assert settled(desired, result, left)


@pytest.mark.parametrize("abilities", [HAPROXY, CHECKED, PLUS], ids=["HAProxy", "checks", "Plus"])
@given(data=st.data(), want=NUMBERS, ours=STAGES)
def test_a_plan_touches_nothing_that_is_right(
    abilities: Abilities, data: st.DataObject, want: list[int], ours: dict[int, Stage]
) -> None:
    observed = data.draw(standing(abilities))
    ledger = {name(number, abilities): Entry(stage) for number, stage in ours.items()}
    desired = backend([wanted(number, abilities) for number in want])
    planned = changes(desired, observed, ledger, abilities)
    names = {name(number, abilities) for number in want}
    removals = [change.action in REMOVALS for change in planned]
    assert removals == sorted(removals)
    for change in planned:
        if change.action is DRAIN:
            assert change.name not in names
        if change.action is READY:
            assert change.name in ledger
        if change.action in {ADD, PROBE}:
            assert change.name not in {server.name for server in observed}
        if change.action is DELETE:
            assert change.name not in names or change.remaining >= 1


@given(data=st.data(), want=NUMBERS)
def test_interrupted_anywhere_a_plan_has_lost_no_wanted_server(
    data: st.DataObject, want: list[int]
) -> None:
    observed = data.draw(standing(PLUS))
    planned = changes(backend([wanted(n, PLUS) for n in want]), observed, {}, PLUS)
    names = {name(number, PLUS) for number in want}
    serving = {server.name for server in observed if not server.held} & names
    for length in range(len(planned) + 1):
        result = carry_out(planned[:length], observed)
        assert serving <= {server.name for server in result if not server.held}
