"""How well the clocks of a controller and of this machine are compared, by dates in seconds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.drove.clock_offset import ClockOffset

PHASES = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=50)


def after_polls(ahead: float, phases: list[float], *, took: float = 0.0) -> ClockOffset:
    """What is known after a poll every two seconds and a `phase`, each of which took so long."""
    offset = ClockOffset()
    for number, phase in enumerate(phases):
        received = 1000.0 + 2 * number + phase
        date = math.floor(received - took / 2 + ahead)
        offset = offset.narrowed(date, received - took, received)
    return offset


@given(st.floats(-1e4, 1e4), PHASES, st.floats(0, 1))
def test_the_offset_is_always_between_its_limits(
    ahead: float, phases: list[float], took: float
) -> None:
    offset = after_polls(ahead, phases, took=took)

    assert offset.low - 1e-6 <= ahead <= offset.high + 1e-6


def test_one_date_in_whole_seconds_does_not_say_how_long_ago_an_event_was() -> None:
    assert after_polls(0.0, [0.5]).seconds_since(1000.0, 1000.2) is None


@pytest.mark.parametrize("ahead", [0.0, 0.4, -300.0])
def test_many_dates_say_it_also_where_the_clocks_differ(ahead: float) -> None:
    offset = after_polls(ahead, [number * 0.37 % 1 for number in range(20)])

    ago = offset.seconds_since(1050.0 + ahead, 1050.6)
    assert ago == pytest.approx(0.6, abs=0.13)


def test_an_event_of_just_now_is_never_in_the_future() -> None:
    offset = after_polls(0.0, [number * 0.37 % 1 for number in range(20)])

    assert offset.seconds_since(1050.1, 1050.0) == 0


def test_a_clock_that_was_set_is_learned_anew() -> None:
    offset = after_polls(0.0, [number * 0.37 % 1 for number in range(20)])
    offset = offset.narrowed(5000.0, 1060.0, 1060.0)

    assert offset.low <= 3940.5 <= offset.high
    assert offset.seconds_since(5000.0, 1061.0) is None
