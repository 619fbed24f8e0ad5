"""How long a controller is left alone between two polls."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.drove.pace import jittered, pause

SECONDS = st.floats(0.05, 600)
CHANCE = st.floats(0, 1)


@pytest.mark.parametrize(
    ("interval", "took", "failures", "seconds"),
    [
        (5.0, 0.0, 0, 5.0),
        (5.0, 1.0, 0, 4.0),
        (5.0, 4.0, 0, 4.0),
        (5.0, 60.0, 0, 10.0),
        (5.0, 0.0, 1, 10.0),
        (5.0, 0.0, 9, 10.0),
        (1.0, 0.0, 1, 2.0),
        (1.0, 0.0, 2, 4.0),
        (1.0, 0.0, 50, 4.0),
        (0.25, 0.0, 50, 1.0),
        (60.0, 0.0, 50, 60.0),
    ],
)
def test_the_pause_after_a_poll(
    interval: float, took: float, failures: int, seconds: float
) -> None:
    assert pause(interval, took=took, failures=failures, chance=0.5) == pytest.approx(seconds)


@given(SECONDS, CHANCE)
def test_jitter_is_at_most_a_tenth(seconds: float, chance: float) -> None:
    assert 0.9 * seconds <= jittered(seconds, chance) * 1.0001
    assert jittered(seconds, chance) <= 1.1001 * seconds


@given(SECONDS, SECONDS, st.integers(0, 10**6), CHANCE)
def test_a_controller_in_trouble_is_never_asked_less_than_a_bounded_while_apart(
    interval: float, took: float, failures: int, chance: float
) -> None:
    longest = 1.1001 * max(interval, min(4 * interval, 10))
    assert 0 < pause(interval, took=took, failures=failures, chance=chance) <= longest
