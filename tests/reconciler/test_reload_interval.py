"""How far apart reloads are while old workers are left."""

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.workers import Workers
from drove_gateway.reconciler.reload_interval import MOST_OLD_WORKERS, reload_pressure

GIGABYTE = 1 << 30

WORKERS = st.builds(
    Workers,
    current=st.integers(0, 200),
    old=st.integers(0, 5000),
    old_memory=st.integers(0, 100 * GIGABYTE),
    machine_memory=st.integers(0, 64 * GIGABYTE),
)


def interval(workers: Workers) -> float:
    return reload_pressure(workers, 1.0, 30.0).interval


def test_without_old_workers_reloads_keep_the_configured_distance() -> None:
    pressure = reload_pressure(Workers(current=8, machine_memory=GIGABYTE), 1.0, 30.0)
    assert (pressure.interval, pressure.delays) == (1.0, False)


def test_a_few_old_workers_hardly_delay_a_reload() -> None:
    assert interval(Workers(current=1, old=2)) < 1.5


def test_many_old_workers_delay_reloads_to_the_limit() -> None:
    pressure = reload_pressure(Workers(current=1, old=MOST_OLD_WORKERS), 1.0, 30.0)
    assert (pressure.interval, pressure.delays) == (30.0, True)


def test_a_few_large_old_workers_delay_as_many_small_workers_do() -> None:
    large = Workers(current=1, old=2, old_memory=GIGABYTE, machine_memory=8 * GIGABYTE)
    assert interval(large) == 30.0


def test_a_proxy_with_many_workers_may_leave_several_generations() -> None:
    assert interval(Workers(current=64, old=64)) < 3


@given(WORKERS, st.floats(0, 60), st.floats(0, 60))
def test_reloads_are_never_closer_than_configured_nor_further_apart_than_the_limit(
    workers: Workers, shortest: float, longest: float
) -> None:
    found = reload_pressure(workers, shortest, longest).interval
    assert shortest <= found <= max(shortest, longest) + 1e-9


@given(WORKERS, st.integers(0, 100))
def test_more_old_workers_never_bring_the_next_reload_closer(workers: Workers, more: int) -> None:
    then = Workers(workers.current, workers.old + more, workers.old_memory, workers.machine_memory)
    assert interval(then) >= interval(workers)


@given(life=st.integers(30, 600), generation=st.integers(1, 16))
def test_however_often_the_cluster_changes_old_workers_stay_few(life: int, generation: int) -> None:
    """A reload as soon as it is allowed, each of which leaves workers for `life` seconds."""
    ends: list[float] = []
    now, most = 0.0, 0
    while now < 3 * life:
        ends = [end for end in ends if end > now]
        most = max(most, len(ends))
        ends.append(now + life)
        now += interval(Workers(current=generation, old=len(ends) * generation))
    assert most <= MOST_OLD_WORKERS + life / 30
