"""One table for every kind of runtime API: servers that are, servers that should be, changes.

Servers are numbers here: server 1 is `server_10.0.0.1_80` to HAProxy and `10.0.0.1:80` to NGINX
Plus. Where a row cannot occur with an API, its column is `None`.
"""

from collections.abc import Sequence

import pytest
from tests.proxies.runtime.planner_bench import (
    CHECKED,
    ELSEWHERE,
    FOREIGN,
    HAPROXY,
    NO_ADDRESS,
    PARAMETERS,
    PLUS,
    Changes,
    Nowhere,
    Seen,
    backend,
    drained,
    failing,
    name,
    plan,
    stopped,
    up,
    wanted,
)

from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.ledger import Entry, Stage
from drove_gateway.proxies.runtime.planner import additions_first, deletions
from drove_gateway.proxies.runtime.servers import (
    Action,
)

ADD, PROBE, MOVE, REPLACE = Action.ADD, Action.PROBE, Action.MOVE, Action.REPLACE

READY, UPDATE, DRAIN, DELETE = Action.READY, Action.UPDATE, Action.DRAIN, Action.DELETE

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
