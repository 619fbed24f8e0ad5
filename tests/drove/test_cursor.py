"""When endpoints are fetched, step by step, and what the cursor does meanwhile."""

import math

import pytest

from drove_gateway.drove.cursor import Cursor
from drove_gateway.drove.events import EVENTS_PER_PAGE, Event, EventsPage
from drove_gateway.drove.scope import EVERYTHING


def page(*kinds: str, time: int = 100, app: str = "web", **more: object) -> EventsPage:
    """Events of these types, all of an app and at a time; the same places have the same ids."""
    events = tuple(
        Event(f"{time}-{place}-{kind}", kind, time, app_name=app)
        for place, kind in enumerate(kinds)
    )
    return EventsPage(time, events, **more)  # type: ignore[arg-type]


CHANGE = page("INSTANCE_STATE_CHANGE")
FOLLOWED = Cursor(last_sync=50, newest=50, seen={}, refresh_at=1000.0)


def sent_after(cursor: Cursor, seen: EventsPage) -> int:
    """The cursor when `seen` was seen, its endpoints accepted, and nothing came late."""
    looked = cursor.looked(seen, now=0.0)
    if looked.is_due(0.0):
        looked = looked.accepted(0.0, math.inf)
    return looked.looked(seen, now=3.0).last_sync


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
    looked = FOLLOWED.looked(page(kind), now=0.0)
    assert looked.is_due(0.0)
    assert sent_after(FOLLOWED, page(kind)) == 100


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
def test_types_that_do_not_change_endpoints_move_the_cursor_without_a_fetch(kind: str) -> None:
    assert not FOLLOWED.looked(page(kind, kind), now=0.0).is_due(0.0)
    assert sent_after(FOLLOWED, page(kind, kind)) == 100


def test_after_a_change_endpoints_are_fetched_again_for_some_seconds() -> None:
    assert fetches(FOLLOWED.looked(CHANGE, now=0.0), until=300) == [0, 1, 3, 6]


def test_after_an_executor_was_lost_endpoints_are_fetched_again_for_a_minute() -> None:
    lost = FOLLOWED.looked(page("EXECUTOR_REMOVED"), now=0.0)
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
    assert moved.looked(EventsPage(100), now=3.5).due == moved.due


def test_an_event_that_is_recorded_late_is_a_change() -> None:
    accepted = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf)
    late = page("INSTANCE_STATE_CHANGE", "EXECUTOR_REMOVED")
    noticed = accepted.looked(late, now=0.5)
    assert noticed.is_due(0.5)
    assert noticed.due[-1].at == 61.0


def test_what_happened_while_the_cursor_waited_is_looked_at_again() -> None:
    accepted = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf)
    late = page("INSTANCE_STATE_CHANGE", "INSTANCE_STATE_CHANGE")
    moved = accepted.looked(late, now=0.5).accepted(0.5, math.inf).looked(late, now=20.0)
    moved = moved.accepted(20.0, math.inf)
    assert moved.last_sync == 100
    assert not moved.is_due(20.0)
    assert moved.looked(page("INSTANCE_STATE_CHANGE", time=130), now=20.5).is_due(20.5)


def test_the_cursor_stays_when_they_were_refused_and_they_are_requested_again() -> None:
    refused = FOLLOWED.looked(CHANGE, now=0.0).refused(0.0)
    assert not refused.is_due(0.9)
    assert refused.is_due(1.0)
    assert refused.looked(CHANGE, now=20.0).last_sync == 50


def test_a_fetch_that_failed_is_due_at_once() -> None:
    looked = FOLLOWED.looked(CHANGE, now=0.0)
    assert looked.looked(CHANGE, now=5.0).is_due(5.0)


def test_a_time_that_goes_backwards_is_a_store_that_was_emptied_by_a_new_term() -> None:
    back = FOLLOWED.looked(EventsPage(40), now=0.0)
    assert back.is_due(0.0)
    assert back.scope(0.0) is EVERYTHING
    assert back.last_sync == 0
    assert back.is_settling(10.0)


def test_equal_milliseconds_hide_no_event() -> None:
    accepted = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf)
    both = page("INSTANCE_STATE_CHANGE", "APP_STATE_CHANGE")
    assert accepted.looked(both, now=0.5).is_due(0.5)


def test_a_leadership_that_was_acquired_meanwhile_is_settling_once() -> None:
    acquired = page("LEADERSHIP_ACQUIRED")
    seen = FOLLOWED.looked(acquired, now=0.0)
    assert seen.is_settling(10.0)
    assert seen.refused(0.0).looked(acquired, now=80.0).settling_until == seen.settling_until


def test_a_leadership_of_before_the_first_look_is_settled() -> None:
    first = Cursor().looked(page("LEADERSHIP_ACQUIRED"), now=0.0)
    assert not first.is_settling(0.0)


def test_only_events_that_were_not_seen_before_are_fresh() -> None:
    looked = FOLLOWED.looked(page("TASK_STATE_CHANGE"), now=0.0)
    more = page("TASK_STATE_CHANGE", "TASK_STATE_CHANGE", "APP_STATE_CHANGE")
    assert [event.kind for event in looked.fresh(more)] == ["TASK_STATE_CHANGE", "APP_STATE_CHANGE"]


def test_events_of_apps_fetch_only_these_apps() -> None:
    looked = FOLLOWED.looked(page("INSTANCE_STATE_CHANGE", app="web"), now=0.0)
    looked = looked.looked(page("APP_STATE_CHANGE", app="api", time=110), now=0.2)
    assert looked.scope(0.2) == frozenset({"web", "api"})
    later = looked.accepted(0.2, 99.0)
    assert later.scope(6.0) == frozenset({"web", "api"})
    assert later.refresh_at == 1000.0


@pytest.mark.parametrize(
    "uncertain",
    [
        page("INSTANCE_STATE_CHANGE", app=""),
        page("EXECUTOR_REMOVED"),
        page("EXECUTOR_ADDED"),
        page("MAINTENANCE_MODE_SET"),
        page("MAINTENANCE_MODE_REMOVED"),
        page("LEADERSHIP_ACQUIRED"),
        page("A_TYPE_OF_A_LATER_DROVE"),
        page(""),
        page("INSTANCE_STATE_CHANGE", is_cut=True),
        page("TASK_STATE_CHANGE", is_cut=True),
    ],
    ids=range(10),
)
def test_everything_is_fetched_when_the_changed_apps_are_not_certain(uncertain: EventsPage) -> None:
    assert FOLLOWED.looked(uncertain, now=0.0).scope(0.0) is EVERYTHING


def test_many_changed_apps_are_fetched_as_everything() -> None:
    events = tuple(
        Event(str(number), "APP_STATE_CHANGE", 100, app_name=f"app{number}")
        for number in range(500)
    )
    assert FOLLOWED.looked(EventsPage(100, events), now=0.0).scope(0.0) is EVERYTHING


def test_a_cut_list_that_shows_nothing_new_fetches_nothing_more() -> None:
    cut = page(*["INSTANCE_STATE_CHANGE"] * EVENTS_PER_PAGE, is_cut=True)
    accepted = FOLLOWED.looked(cut, now=0.0).accepted(0.0, math.inf)
    assert not accepted.looked(cut, now=0.5).is_due(0.5)


def test_a_refused_fetch_of_an_app_is_repeated_for_that_app() -> None:
    refused = FOLLOWED.looked(CHANGE, now=0.0).refused(0.0)
    assert refused.scope(1.0) == frozenset({"web"})
    assert refused.refresh_at == 1000.0


def test_a_cursor_in_the_controllers_future_is_dropped_and_everything_is_fetched() -> None:
    ahead = Cursor(last_sync=10**15, newest=10**15, seen={}, refresh_at=1000.0)
    dropped = ahead.looked(EventsPage(10**15, clock=10**12), now=0.0)
    assert dropped.last_sync == 0
    assert dropped.scope(0.0) is EVERYTHING


def test_a_time_that_is_given_only_once_never_becomes_the_cursor() -> None:
    absurd = FOLLOWED.looked(page("APP_STATE_CHANGE", time=2**62), now=0.0).accepted(0.0, math.inf)
    assert absurd.looked(page("APP_STATE_CHANGE", time=130), now=5.0).last_sync == 50


def test_events_that_are_read_from_the_start_again_are_not_fresh() -> None:
    reread = FOLLOWED.looked(CHANGE, now=0.0).accepted(0.0, math.inf).reread()
    assert reread.last_sync == 0
    assert reread.fresh(CHANGE) == ()


def test_a_flood_of_changes_does_not_make_the_plan_long() -> None:
    cursor = FOLLOWED
    for step in range(2000):
        seen = page("EXECUTOR_REMOVED", "LEADERSHIP_ACQUIRED", time=100 + step)
        cursor = cursor.looked(seen, now=step / 4)
    assert len(cursor.due) < 100
    assert cursor.seen is not None
    assert len(cursor.seen) <= 4 * EVENTS_PER_PAGE


def test_endpoints_are_fetched_without_reason_when_the_refresh_is_due() -> None:
    assert not FOLLOWED.is_due(999.9)
    assert FOLLOWED.is_due(1000.0)
