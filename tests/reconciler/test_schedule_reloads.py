"""When a schedule reloads: on demand, and with regard to old workers."""

from collections.abc import Sequence

import pytest
from tests.reconciler.timeline import RELOADING, Event, Timeline, Work, change, demand, old_workers

from drove_gateway.model.workers import Workers
from drove_gateway.reconciler.schedule import ApplyPace, Result, Schedule


@pytest.mark.parametrize(
    ("events", "work", "reloads"),
    [
        pytest.param([demand(5), demand(5)], None, [5], id="once"),
        pytest.param([demand(5)], Work(errors=["", "line 3", ""]), [5, 6], id="until it succeeds"),
        pytest.param(
            [demand(5)],
            Work(failed_vhosts=["", "web: no", ""]),
            [5],
            id="a vhost that fails does not repeat it",
        ),
        pytest.param([demand(2)], Work(takes=5), [5], id="also when it came during an attempt"),
        pytest.param(
            [demand(5), demand(7)],
            Work(takes=4, servers=False),
            [5, 10],
            id="again when it was demanded during the reload",
        ),
        pytest.param(
            [demand(5), demand(5.5)], None, [5, 6], id="not sooner than reloads are allowed"
        ),
    ],
)
def test_a_demanded_reload_is_not_lost(
    events: list[Event], work: Work | None, reloads: list[float]
) -> None:
    assert Timeline([change(0), *events], work).reloads == reloads


WITH_OLD_WORKERS = ApplyPace(
    quiet=0.05, longest=0.5, between_reloads=1.0, longest_between_reloads=30.0
)


@pytest.mark.parametrize(
    ("events", "reloads"),
    [
        pytest.param([old_workers(1, 16)], [0, 30], id="many old workers delay the next reload"),
        pytest.param([old_workers(1, 100)], [0, 30], id="however many, to the limit only"),
        pytest.param([old_workers(1, 4)], [0, 2.8125], id="a few delay it a little"),
        pytest.param(
            [old_workers(1, 16), old_workers(9, 0)], [0, 9], id="when they end it goes at once"
        ),
        pytest.param(
            [old_workers(1, 4), old_workers(2.5, 16)], [0, 30], id="when they become more it waits"
        ),
    ],
)
def test_a_reload_waits_for_old_workers_within_a_limit(
    events: Sequence[Event], reloads: Sequence[float]
) -> None:
    changes = [change(0), change(2)]
    timeline = Timeline([*changes, *events], RELOADING, pace=WITH_OLD_WORKERS, until=100)
    assert timeline.reloads == pytest.approx(reloads)


def test_a_first_change_after_quiet_is_loaded_at_once_whatever_old_workers_are_left() -> None:
    events = [change(0), old_workers(1, 100), change(40)]
    assert Timeline(events, RELOADING, pace=WITH_OLD_WORKERS).reloads == [0, 40]


@pytest.mark.parametrize(
    ("result", "next_reload"),
    [
        pytest.param(Result(reload_refused=True, error="line 3"), 11.0, id="was refused"),
        pytest.param(Result(reload=True, error="unproven"), 40.0, id="may have been made"),
        pytest.param(Result(reload=True), 40.0, id="was made"),
    ],
)
def test_a_reload_waits_for_old_workers_only_after_another_that_left_some(
    result: Result, next_reload: float
) -> None:
    schedule = Schedule(WITH_OLD_WORKERS).desired("a", 10.0).observed(Workers(current=1, old=16))
    begun, attempt = schedule.begun(10.0, reload=True)
    assert begun.ended(attempt, result, 10.0, jitter=1.0).next_reload == next_reload


def test_what_needs_no_reload_never_waits_for_old_workers() -> None:
    events = [change(0), old_workers(1, 100), change(5)]
    timeline = Timeline(events, Work(reload=[True, True]), pace=WITH_OLD_WORKERS)
    assert (timeline.begun, timeline.reloads) == ([0, 5, 30], [0, 30])
