"""The deadlines of tests: they end a wait, and a pause of the machine does not."""

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.waiting import RunningTime, until, within


async def never() -> None:
    await asyncio.Event().wait()


def test_a_machine_that_was_paused_for_a_minute_costs_a_deadline_almost_nothing() -> None:
    running = RunningTime(now=100.0)
    running.step(100.05)
    running.step(160.05)
    running.step(160.10)
    assert running.seconds == pytest.approx(0.3)


@given(st.lists(st.floats(0, 100)))
def test_running_time_never_exceeds_the_time_that_passed(steps: list[float]) -> None:
    running = RunningTime(0.0)
    now = 0.0
    for step in steps:
        now += step
        running.step(now)
    assert 0 <= running.seconds <= now + 1e-9


@given(st.integers(1, 50), st.floats(0.001, 0.2))
def test_steps_of_an_ordinary_length_count_in_full(count: int, length: float) -> None:
    running = RunningTime(0.0)
    for number in range(count):
        running.step((number + 1) * length)
    assert running.seconds == pytest.approx(count * length)


async def test_a_condition_that_becomes_true_after_a_pause_is_in_time() -> None:
    paused = False

    def true_after_the_pause() -> bool:
        nonlocal paused
        if not paused:
            paused = True
            time.sleep(0.6)
            return False
        return True

    await until(true_after_the_pause, seconds=0.4)


async def test_a_condition_that_stays_false_fails_and_says_what_is_missing() -> None:
    with pytest.raises(AssertionError, match=r"2 servers are missing \(waited for 0.1 s\)"):
        await until(lambda: False, 0.1, lambda: "2 servers are missing")


async def test_a_condition_that_hangs_is_ended() -> None:
    with pytest.raises(AssertionError, match="never true"):
        await until(never, 0.1)  # type: ignore[arg-type]


async def test_what_a_condition_raises_reaches_the_test() -> None:
    def broken() -> bool:
        raise ValueError("no such file")

    with pytest.raises(ValueError, match="no such file"):
        await until(broken)


async def test_a_result_in_time_is_returned_and_a_late_task_is_cancelled() -> None:
    async def answer() -> int:
        return 42

    assert await within(answer(), 1.0, lambda: "") == 42
    late = asyncio.ensure_future(never())
    with pytest.raises(AssertionError, match="the daemon still runs"):
        await within(late, 0.05, lambda: "the daemon still runs")
    assert late.cancelled()
