"""When a process is started again."""

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.container.restarts import QUICK_SECONDS, RestartHistory


def ends(*lived: float) -> RestartHistory:
    found = RestartHistory()
    for seconds in lived:
        found = found.after(seconds)
    return found


def test_a_process_that_ran_long_is_started_again_at_once() -> None:
    assert ends(3600.0).delay == 0.1


def test_quick_ends_wait_longer_and_longer_and_then_have_no_point() -> None:
    delays = [ends(*[0.5] * count).delay for count in range(1, 8)]
    assert delays == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0]
    assert not ends(*[0.5] * 7).hopeless
    assert ends(*[0.5] * 8).hopeless


def test_one_long_run_in_between_begins_anew() -> None:
    assert not ends(*[0.5] * 7, QUICK_SECONDS, *[0.5] * 7).hopeless


def test_what_once_ran_long_stays_proven() -> None:
    assert ends(QUICK_SECONDS, *[0.0] * 20).proven
    assert not ends(*[0.0] * 20).proven


@given(st.lists(st.floats(0, 1e6)))
def test_the_wait_is_always_bounded(lived: list[float]) -> None:
    assert 0.1 <= ends(*lived).delay <= 5.0
