"""The stages of servers on their way in or out of traffic."""

import pytest

from drove_gateway.proxies.runtime.ledger import Entry, Ledger, Stage
from drove_gateway.proxies.runtime.servers import Action, Change, ObservedServer, Result

DONE, REFUSED, OUTDATED = Result(), Result("refused", "no"), Result("outdated", "renumbered")
SERVES = ObservedServer("s")
DRAINS = ObservedServer("s", held="drain", serving=False)


def change(action: Action, *, remaining: int = 0) -> Change:
    return Change(action, "b", "s", "why", patience=30.0, remaining=remaining)


@pytest.mark.parametrize(
    ("begun", "result", "found", "entry"),
    [
        (change(Action.ADD), DONE, SERVES, None),
        (change(Action.ADD), DONE, DRAINS, Entry(Stage.ADDING)),
        (change(Action.ADD), REFUSED, None, None),
        (change(Action.ADD), OUTDATED, None, Entry(Stage.ADDING)),
        (change(Action.PROBE), DONE, DRAINS, Entry(Stage.PROBING, 110.0)),
        (change(Action.DRAIN), DONE, DRAINS, Entry(Stage.DRAINING, 130.0)),
        (change(Action.DRAIN), REFUSED, SERVES, None),
        (change(Action.DRAIN), OUTDATED, SERVES, Entry(Stage.DRAINING, 130.0)),
    ],
    ids=[
        "added and serving",
        "added and not yet in traffic",
        "not added",
        "an addition whose outcome is unknown",
        "waits for its check",
        "drains until its deadline",
        "not drained",
        "a drain whose outcome is unknown",
    ],
)
def test_a_change_leaves_the_stage_that_its_result_says(
    begun: Change, result: Result, found: ObservedServer | None, entry: Entry | None
) -> None:
    ledger = Ledger()
    ledger.begin(begun, 100.0)
    ledger.end(begun, result, found, 100.0)
    assert ledger.of("b").get("s") == entry


def test_a_removed_server_is_overdue_once_its_deadline_is_well_past() -> None:
    ledger = Ledger()
    ledger.note("b", "drains", Entry(Stage.DRAINING, 100.0))
    ledger.note("b", "leaves", Entry(Stage.LEAVING, 100.0))
    ledger.note("b", "pinned", Entry(Stage.PINNED))
    ledger.note("b", "probes", Entry(Stage.PROBING, 100.0))
    assert ledger.overdue(105.0) == ()
    assert ledger.overdue(105.1) == ("b/drains", "b/leaves")


def test_a_removed_server_is_forgotten_with_the_last_of_its_name() -> None:
    ledger = Ledger()
    ledger.note("b", "s", Entry(Stage.LEAVING))
    ledger.end(change(Action.DELETE, remaining=1), DONE, None, 0.0)
    assert "s" in ledger.of("b")
    ledger.end(change(Action.DELETE), DONE, None, 0.0)
    assert "s" not in ledger.of("b")


def test_a_server_that_serves_again_is_forgotten_unless_it_waits_for_its_check() -> None:
    ledger = Ledger()
    for name, stage in (("a", Stage.ADDING), ("d", Stage.DRAINING), ("p", Stage.PROBING)):
        ledger.note("b", name, Entry(stage))
    ledger.strike_finished("b", {"a", "d", "p"})
    assert list(ledger.of("b")) == ["p"]


@pytest.mark.parametrize("action", [Action.READY, Action.UPDATE])
def test_a_refused_call_leaves_a_drain_the_gateways(action: Action) -> None:
    ledger = Ledger()
    ledger.note("b", "s", Entry(Stage.DRAINING, 130.0))
    ledger.end(change(action), REFUSED, DRAINS, 100.0)
    assert ledger.of("b") == {"s": Entry(Stage.DRAINING, 130.0)}


def test_drained_servers_of_a_backend_that_left_are_remembered_up_to_a_number() -> None:
    ledger = Ledger()
    for n in range(5001):
        ledger.note(f"b{n}", "drains", Entry(Stage.DRAINING, 130.0))
        ledger.note(f"b{n}", "probes", Entry(Stage.PROBING))
        ledger.backend_left(f"b{n}")
    assert ledger.count(Stage.GONE) == 5000
    assert "drains" not in ledger.of("b0")
    assert ledger.of("b1") == {"drains": Entry(Stage.GONE), "probes": Entry(Stage.PROBING)}
    ledger.strike_finished("b1", {"drains"})
    assert "drains" not in ledger.of("b1")


def test_servers_are_counted_by_stage() -> None:
    ledger = Ledger()
    ledger.note("b", "s", Entry(Stage.DRAINING))
    ledger.note("b", "t", Entry(Stage.PROBING))
    ledger.note("b", "s", Entry(Stage.LEAVING))
    ledger.strike("b", "unknown")
    for stages in ([Stage.DRAINING], [Stage.LEAVING], [Stage.LEAVING, Stage.PROBING]):
        assert ledger.count(*stages) == sum(1 for _ in ledger.at(*stages))
    ledger.strike("b", "s")
    assert ledger.count(*Stage) == 1
