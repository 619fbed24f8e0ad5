"""When endpoints are fetched, step by step, and what the cursor does meanwhile."""

import math

import pytest

from drove_gateway.drove.cursor import Cursor
from drove_gateway.drove.wire import EventsSummary

CHANGE = EventsSummary(100, {"INSTANCE_STATE_CHANGE": 1})
FOLLOWED = Cursor(last_sync=50, seen=EventsSummary(50), refresh_at=1000.0)


def sent_after(cursor: Cursor, summary: EventsSummary) -> int:
    """The cursor when `summary` was seen, its endpoints accepted, and nothing came late."""
    looked = cursor.looked(summary, now=0.0)
    if looked.is_due(0.0):
        looked = looked.accepted(0.0, math.inf)
    return looked.looked(summary, now=3.0).last_sync


def fetches(cursor: Cursor, until: int) -> list[int]:
    """The seconds at which a poll every second would fetch, all accepted."""
    seconds = []
    for now in range(until):
        if cursor.is_due(float(now)):
            seconds.append(now)
            cursor = cursor.accepted(float(now), math.inf)
    return seconds


@pytest.mark.parametrize(
    "kind",
    [
        "APP_STATE_CHANGE",
        "INSTANCE_STATE_CHANGE",
        "EXECUTOR_REMOVED",
        "EXECUTOR_ADDED",
        "MAINTENANCE_MODE_SET",
        "MAINTENANCE_MODE_REMOVED",
        "LEADERSHIP_ACQUIRED",
        "A_TYPE_OF_A_LATER_DROVE",
    ],
)
def test_types_that_may_change_endpoints(kind: str) -> None:
    looked = FOLLOWED.looked(EventsSummary(100, {kind: 1}), now=0.0)
    assert looked.is_due(0.0)
    assert sent_after(FOLLOWED, EventsSummary(100, {kind: 1})) == 100


@pytest.mark.parametrize(
    "kind",
    [
        "TASK_STATE_CHANGE",
        "LOCAL_SERVICE_STATE_CHANGE",
        "LOCAL_SERVICE_INSTANCE_STATE_CHANGE",
        "EXECUTOR_BLACKLIST_REQUESTED",
        "EXECUTOR_BLACKLISTED",
        "EXECUTOR_UN_BLACKLISTED",
        "LEADERSHIP_LOST",
    ],
)
def test_types_that_do_not_change_endpoints_neither_fetch_nor_move_the_cursor(kind: str) -> None:
    assert not FOLLOWED.looked(EventsSummary(100, {kind: 3}), now=0.0).is_due(0.0)
    assert sent_after(FOLLOWED, EventsSummary(100, {kind: 3})) == 50


def test_after_a_change_endpoints_are_fetched_again_for_some_seconds() -> None:
    assert fetches(FOLLOWED.looked(CHANGE, now=0.0), until=300) == [0, 1, 3, 6]


def test_after_an_executor_was_lost_endpoints_are_fetched_again_for_a_minute() -> None:
    lost = FOLLOWED.looked(EventsSummary(100, {"EXECUTOR_REMOVED": 1}), now=0.0)
    assert fetches(lost, until=300) == [0, 1, 3, 6, 10, 20, 30, 40, 50, 60]


def test_after_a_takeover_endpoints_are_fetched_at_every_poll_until_it_has_settled() -> None:
    taken_over = Cursor().taken_over(0.0)
    assert fetches(taken_over, until=300) == list(range(92))
    assert taken_over.is_settling(89.9)
    assert not taken_over.is_settling(90.0)


def test_a_leader_found_at_the_start_may_be_new_and_is_asked_again_for_a_while() -> None:
    found = Cursor().found(0.0)
    assert fetches(found, until=300) == [0, 1, 3, 6, 10, 20, 30, 40, 50, 60, 70, 80, 91]
    assert not found.is_settling(0.0)


def test_the_cursor_moves_when_endpoints_were_accepted_and_nothing_can_be_late_any_more() -> None:
    accepted = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf)
    assert accepted.looked(CHANGE, now=2.9).last_sync == 50
    moved = accepted.looked(CHANGE, now=3.0)
    assert moved.last_sync == 100
    assert moved.looked(EventsSummary(100), now=3.5).due == moved.due


def test_an_event_that_is_recorded_late_is_a_change() -> None:
    accepted = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf)
    late = EventsSummary(100, {"INSTANCE_STATE_CHANGE": 1, "EXECUTOR_REMOVED": 1})
    noticed = accepted.looked(late, now=0.5)
    assert noticed.is_due(0.5)
    assert noticed.due[-1] == 61.0


def test_what_happened_while_the_cursor_waited_is_looked_at_again() -> None:
    accepted = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf)
    late = EventsSummary(100, {"INSTANCE_STATE_CHANGE": 2})
    moved = accepted.looked(late, now=0.5).accepted(0.5, math.inf).looked(late, now=20.0)
    moved = moved.accepted(20.0, math.inf)
    assert moved.last_sync == 100
    assert not moved.is_due(20.0)
    assert moved.looked(EventsSummary(130, {"INSTANCE_STATE_CHANGE": 1}), now=20.5).is_due(20.5)


def test_the_cursor_stays_when_they_were_refused_and_they_are_asked_for_again() -> None:
    refused = FOLLOWED.looked(CHANGE, now=0.0).refused(0.0)
    assert not refused.is_due(0.9)
    assert refused.is_due(1.0)
    assert refused.looked(CHANGE, now=20.0).last_sync == 50


def test_a_fetch_that_failed_is_due_at_once() -> None:
    looked = FOLLOWED.looked(CHANGE, now=0.0)
    assert looked.looked(CHANGE, now=5.0).is_due(5.0)


def test_a_time_that_goes_backwards_is_a_change_and_is_followed() -> None:
    back = FOLLOWED.looked(EventsSummary(40), now=0.0)
    assert back.is_due(0.0)
    assert back.accepted(0.0, math.inf).last_sync == 40


def test_a_time_that_moves_though_nothing_more_is_counted_is_a_change() -> None:
    accepted = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf)
    assert not accepted.looked(CHANGE, now=0.5).is_due(0.5)
    assert accepted.looked(EventsSummary(101, CHANGE.events_count), now=0.5).is_due(0.5)


def test_a_leadership_that_was_acquired_meanwhile_is_settling_once() -> None:
    summary = EventsSummary(100, {"LEADERSHIP_ACQUIRED": 1})
    seen = FOLLOWED.looked(summary, now=0.0)
    assert seen.is_settling(10.0)
    assert seen.refused(0.0).looked(summary, now=80.0).settling_until == seen.settling_until


def test_a_leadership_of_before_the_first_look_is_settled() -> None:
    first = Cursor().looked(EventsSummary(100, {"LEADERSHIP_ACQUIRED": 1}), now=0.0)
    assert not first.is_settling(0.0)


def test_only_events_that_were_not_seen_before_are_fresh() -> None:
    looked = FOLLOWED.looked(EventsSummary(60, {"TASK_STATE_CHANGE": 3}), now=0.0)
    assert looked.fresh(EventsSummary(70, {"TASK_STATE_CHANGE": 5, "APP_STATE_CHANGE": 1})) == {
        "TASK_STATE_CHANGE": 2,
        "APP_STATE_CHANGE": 1,
    }


def test_a_flood_of_changes_does_not_make_the_plan_long() -> None:
    cursor = FOLLOWED
    for step in range(2000):
        events = {"EXECUTOR_REMOVED": step + 1, "LEADERSHIP_ACQUIRED": step + 1}
        cursor = cursor.looked(EventsSummary(100 + step, events), now=step / 4)
    assert len(cursor.due) < 100


def test_endpoints_are_fetched_without_reason_when_the_refresh_is_due() -> None:
    assert not FOLLOWED.is_due(999.9)
    assert FOLLOWED.is_due(1000.0)
