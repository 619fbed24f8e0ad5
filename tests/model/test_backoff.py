"""The wait after failures in a row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.backoff import backoff


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 1.0), (1, 1.0), (2, 2.0), (3, 4.0), (6, 32.0), (7, 60.0), (10**9, 60.0)],
)
def test_the_wait_doubles_up_to_a_limit(failures: int, seconds: float) -> None:
    assert backoff(failures, first=1.0, longest=60.0) == seconds


@given(st.integers(0, 10**6), st.floats(0.01, 100), st.floats(0.01, 1000))
def test_the_wait_never_shrinks_and_never_passes_its_limit(
    failures: int, first: float, longest: float
) -> None:
    wait = backoff(failures, first=first, longest=longest)
    assert 0 < wait <= backoff(failures + 1, first=first, longest=longest) <= longest
