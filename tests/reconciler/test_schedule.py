"""When the reconciler works, row by row: time is a number, and nothing waits."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reconciler.timeline import (
    FAILING,
    PACE,
    RELOADING,
    Event,
    Timeline,
    Work,
    change,
    demand,
    hold,
    release,
    wake,
)

from drove_gateway.reconciler.schedule import (
    Action,
    ApplyPace,
    Decision,
    Schedule,
)


@pytest.mark.parametrize(
    ("events", "work", "begun"),
    [
        pytest.param([], None, [], id="nothing happens by itself"),
        pytest.param([wake(1), demand(2)], None, [], id="nothing begins without a topology"),
        pytest.param([wake(1), change(9)], None, [9], id="the first topology is not collected"),
        pytest.param([change(3)], None, [3], id="a first change goes at once"),
        pytest.param([change(0), change(5)], None, [0, 5], id="so does one after quiet"),
        pytest.param([change(0), change(0.05)], None, [0, 0.05], id="quiet has just passed"),
        pytest.param(
            [change(0), change(0.04)], None, [0, 0.09], id="one that follows is collected"
        ),
        pytest.param(
            [change(0), change(0.02), change(0.05), change(0.08)],
            None,
            [0, 0.13],
            id="several that follow are collected until it is quiet",
        ),
        pytest.param(
            [change(0), *(change(0.01 + 0.04 * number) for number in range(20))],
            None,
            [0, 0.51, 0.82],
            id="collecting has a limit",
        ),
        pytest.param(
            [change(0), change(1), change(2), change(3)],
            Work(takes=5),
            [0, 5],
            id="changes during an attempt come together after it",
        ),
        pytest.param(
            [change(0), change(4.98)],
            Work(takes=5),
            [0, 5.03],
            id="a change just before the end of an attempt is collected",
        ),
        pytest.param([change(0), wake(7)], None, [0, 7], id="a wake-up counts as a change"),
    ],
)
def test_changes_are_collected(events: list[Event], work: Work | None, begun: list[float]) -> None:
    assert Timeline(events, work).begun == begun


@pytest.mark.parametrize(
    ("events", "work", "begun", "reloads"),
    [
        pytest.param([change(0), change(5)], RELOADING, [0, 5], [0, 5], id="far apart"),
        pytest.param([change(0), change(0.3)], RELOADING, [0, 1], [0, 1], id="too close"),
        pytest.param(
            [change(0), change(0.3), change(0.6), change(0.9)],
            RELOADING,
            [0, 1],
            [0, 1],
            id="several that wait need one reload",
        ),
        pytest.param(
            [change(0), change(0.3)],
            Work(reload=[True]),
            [0, 0.3, 1],
            [0, 1],
            id="servers do not wait for the reload",
        ),
        pytest.param(
            [change(0), change(1)],
            Work(reload=[True], servers=False, takes=4),
            [0, 5],
            [0, 5],
            id="the distance counts from the end of a reload",
        ),
        pytest.param(
            [change(0), change(0.3)],
            Work(reload=[True, False]),
            [0, 0.3],
            [0],
            id="without a reload there is nothing to keep a distance from",
        ),
        pytest.param(
            [change(0), change(0.3)],
            Work(reload=[True], servers=False, errors=["no", ""]),
            [0, 1],
            [0, 1],
            id="a failed reload counts as one",
        ),
    ],
)
def test_reloads_keep_a_distance(
    events: list[Event], work: Work, begun: list[float], reloads: list[float]
) -> None:
    timeline = Timeline(events, work)
    assert (timeline.begun, timeline.reloads) == (begun, reloads)


@pytest.mark.parametrize(
    ("events", "work", "begun"),
    [
        pytest.param(
            [change(0)], FAILING, [0, 1, 3, 7, 15, 31, 63, 123, 183], id="at growing intervals"
        ),
        pytest.param(
            [change(0)],
            Work(failed_vhosts=["web: no such host", "web: no such host", ""]),
            [0, 1, 3],
            id="also for some vhosts only",
        ),
        pytest.param(
            [change(0)], Work(errors=["no", ""], jitter=1.2), [0, 1.2], id="with the jitter"
        ),
        pytest.param(
            [change(0), change(20)], Work(errors=["no"] * 5 + [""]), [0, 1, 3, 7, 15, 20],
            id="a change ends the wait",
        ),
        pytest.param(
            [change(0), change(100)],
            Work(errors=["no", "no", "no", "", "no", "no", ""]),
            [0, 1, 3, 7, 100, 101, 103],
            id="after success they begin anew",
        ),
        pytest.param(
            [change(0)],
            Work(errors=["no", ""], takes=10),
            [0, 11],
            id="the wait counts from the end",
        ),
        pytest.param(
            [change(0), change(0.99)],
            Work(errors=["no", ""]),
            [0, 0.99],
            id="a change just before the retry",
        ),
    ],
)  # fmt: skip
def test_failures_are_retried(events: list[Event], work: Work, begun: list[float]) -> None:
    assert Timeline(events, work, until=200).begun == begun


@pytest.mark.parametrize(
    ("events", "work", "begun", "reloads"),
    [
        pytest.param(
            [change(0), change(0.5)],
            Work(reload=[True], failed_vhosts=["", "web: no"]),
            [0, 0.5, 1.0, 3.0, 7.0],
            [0, 1.0, 3.0, 7.0],
            id="a reload that is allowed sooner than the retry does not wait for it",
        ),
        pytest.param(
            [change(0), change(0.5)],
            Work(reload=[True], failed_vhosts=["", "web: no", ""], jitter=0.2),
            [0, 0.5, 0.7, 1.0],
            [0, 1.0],
            id="a retry that comes sooner than the reload does not wait for it",
        ),
    ],
)
def test_a_retry_and_a_reload_that_waits_both_come(
    events: list[Event], work: Work, begun: list[float], reloads: list[float]
) -> None:
    timeline = Timeline(events, work, until=8)
    assert (timeline.begun, timeline.reloads) == (begun, reloads)


@pytest.mark.parametrize(
    ("events", "begun", "expires"),
    [
        pytest.param([hold(0, 300), change(1), release(40)], [40], [], id="until it is released"),
        pytest.param([hold(0, 300), change(1)], [300], [300], id="until its limit"),
        pytest.param(
            [hold(0, 300), change(1), hold(200, 300)], [500], [500], id="until its last limit"
        ),
        pytest.param([hold(0, 300), release(5), change(9)], [9], [], id="not after its release"),
        pytest.param([hold(0, 5), change(9)], [9], [9], id="the limit passed in silence"),
        pytest.param([hold(0, 300), release(40)], [], [], id="nothing had to wait"),
        pytest.param(
            [change(0), hold(0.01, 300), change(0.02), change(39.99), release(40)],
            [0, 40],
            [],
            id="what was collected meanwhile goes at the release",
        ),
    ],
)
def test_nothing_begins_while_the_work_is_on_hold(
    events: list[Event], begun: list[float], expires: list[float]
) -> None:
    timeline = Timeline(events)
    ends = [at for at, action in timeline.waits if action is Action.END_HOLD]
    assert (timeline.begun, ends) == (begun, expires)


def test_a_retry_waits_for_the_end_of_a_hold() -> None:
    timeline = Timeline([change(0), hold(0.5, 300), release(50)], Work(errors=["no", ""]))
    assert timeline.begun == [0, 50]


@pytest.mark.parametrize(
    ("schedule", "now", "decision"),
    [
        (Schedule(PACE), 0, Decision(Action.WAIT)),
        (Schedule(PACE, ready=True), 0, Decision(Action.WAIT)),
        (Schedule(PACE).desired("a", 3), 3, Decision(Action.BEGIN, 3)),
        (
            Schedule(PACE, last_work=2.98).desired("a", 3),
            3,
            Decision(Action.COLLECT, 3.05),
        ),
        (
            Schedule(PACE).desired("a", 3).held_back(10, 3),
            4,
            Decision(Action.STAY_ON_HOLD, 13),
        ),
        (Schedule(PACE).desired("a", 3).held_back(10, 3), 13, Decision(Action.END_HOLD, 13)),
        (Schedule(PACE).held_back(10, 3), 20, Decision(Action.WAIT)),
    ],
)
def test_the_next_decision(schedule: Schedule, now: float, decision: Decision) -> None:
    assert schedule.decide(now) == decision


def test_an_attempt_has_all_triggers_since_the_last() -> None:
    [first, second] = Timeline([wake(0), change(1), change(5), change(5)]).attempts
    assert first.triggers == ("audit at 0", "change at 1")
    assert second.triggers == ("change at 5",)


def test_the_triggers_of_a_reload_that_waits_are_kept_for_it() -> None:
    attempts = Timeline([change(0), change(0.3)], Work(reload=[True])).attempts
    assert [attempt.triggers for attempt in attempts] == [
        ("change at 0",),
        ("change at 0.3",),
        ("change at 0.3",),
    ]
    assert [attempt.reload_waits for attempt in attempts] == [False, True, False]


MOMENTS = st.floats(0, 30, allow_nan=False).map(lambda seconds: round(seconds, 3))

EVENTS = st.one_of(
    MOMENTS.map(change),
    MOMENTS.map(wake),
    MOMENTS.map(demand),
    st.tuples(MOMENTS, st.floats(0, 20)).map(lambda pair: hold(*pair)),
    MOMENTS.map(release),
)


@given(
    events=st.lists(EVENTS, max_size=15),
    errors=st.lists(st.sampled_from(["", "no"]), max_size=8),
    failed=st.lists(st.sampled_from(["", "web: no"]), max_size=8),
    reload=st.lists(st.booleans(), min_size=1, max_size=8),
    takes=st.sampled_from([0.0, 0.01, 0.7, 3.0]),
    jitter=st.floats(0.8, 1.2),
    between=st.sampled_from([0.0, 1.0, 5.0]),
)
def test_everything_is_done_in_the_end_and_reloads_keep_their_distance(
    events: list[Event],
    errors: list[str],
    failed: list[str],
    reload: list[bool],
    takes: float,
    jitter: float,
    between: float,
) -> None:
    pace = ApplyPace(quiet=0.05, longest=0.5, between_reloads=between)
    work = Work(
        takes=takes,
        reload=[*reload, False],
        errors=[*errors, ""],
        failed_vhosts=[*failed, ""],
        jitter=jitter,
    )
    timeline = Timeline([change(0), *events], work, pace=pace, until=1000)
    schedule = timeline.schedule
    assert (schedule.changed, schedule.next_try, schedule.attempts) == (False, None, 0)
    assert schedule.demands == ()
    assert all(
        later - sooner >= takes + between - 1e-5 for sooner, later in pairwise(timeline.reloads)
    )
