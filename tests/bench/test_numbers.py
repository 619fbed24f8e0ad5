"""What benchmarks make of their samples."""

import pytest
from bench.rig.numbers import STAGES, Trace, percentile, power_law, slope_per_hour, stages
from hypothesis import given
from hypothesis import strategies as st

SAMPLES = st.lists(st.floats(0, 1000), min_size=1)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1.0), (0.5, 50.0), (0.99, 99.0), (0.991, 100.0), (1.0, 100.0)]
)
def test_a_percentile_is_the_sample_that_so_many_do_not_exceed(
    share: float, expected: float
) -> None:
    assert percentile([float(number) for number in range(100, 0, -1)], share) == expected


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no samples"):
        percentile([], 0.5)


@given(SAMPLES, st.floats(0, 1))
def test_a_percentile_is_one_of_the_samples_and_covers_its_share(
    samples: list[float], share: float
) -> None:
    found = percentile(samples, share)
    assert found in samples
    assert sum(sample <= found for sample in samples) >= share * len(samples) - 1e-9


@given(st.floats(0.1, 3), st.floats(0.01, 100))
def test_an_exponent_is_found_again(exponent: float, factor: float) -> None:
    sizes = [1e3, 1e4, 5e4, 1e5]
    fit = power_law(sizes, [factor * size**exponent for size in sizes])
    assert fit.exponent == pytest.approx(exponent)
    assert fit.factor == pytest.approx(factor)
    assert fit.explained == pytest.approx(1)


def test_a_cost_that_does_not_grow_has_the_exponent_0() -> None:
    fit = power_law([1e3, 1e4, 1e5], [7.0, 7.0, 7.0])
    assert fit.exponent == pytest.approx(0)
    assert fit.factor == pytest.approx(7.0)


def test_noise_is_reported() -> None:
    assert power_law([1, 10, 100, 1000], [1, 100, 1, 100]).explained < 0.9


def test_one_size_has_no_exponent() -> None:
    with pytest.raises(ValueError, match="two sizes"):
        power_law([10, 10], [1, 2])


def test_stages_follow_one_another() -> None:
    trace = Trace(visible=10, asked=10.2, answered=10.25, begun=10.3, ended=10.4, converged=10.45)
    assert {name: round(taken, 9) for name, taken in stages(trace).items()} == {
        "noticed": 0.2,
        "fetched": 0.05,
        "planned": 0.05,
        "applied": 0.1,
        "serving": 0.05,
    }


def test_reading_back_after_traffic_is_right_does_not_count() -> None:
    trace = Trace(visible=0, asked=1, answered=2, begun=3, ended=9, converged=4)
    assert stages(trace) == {
        "noticed": 1,
        "fetched": 1,
        "planned": 1,
        "applied": 1,
        "serving": 0,
    }


@given(st.lists(st.floats(0, 100), min_size=6, max_size=6))
def test_stages_add_up_to_the_whole(marks: list[float]) -> None:
    visible, *others = marks
    trace = Trace(visible, *others)
    taken = stages(trace)
    assert list(taken) == list(STAGES)
    assert min(taken.values()) >= 0
    assert sum(taken.values()) == pytest.approx(max(0, trace.converged - visible), abs=1e-9)


def test_growth_is_given_by_the_hour() -> None:
    assert slope_per_hour([(0, 5.0), (60, 6.0), (120, 7.0)]) == pytest.approx(60)
    assert slope_per_hour([(0, 5.0), (0, 6.0)]) == 0
