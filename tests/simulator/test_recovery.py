"""What a new leader knows, step by step: pure values."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.simulator.recovery import (
    REAL_SECONDS,
    Recovery,
    apps_return,
    at_stage,
    hosts_return,
)

names = st.lists(st.text(max_size=5), unique=True, max_size=120)


@given(names)
def test_apps_return_whole_one_after_the_other_until_all_are_known(apps: list[str]) -> None:
    steps = [known for _, known in apps_return(apps, REAL_SECONDS)]
    assert steps[0] == Recovery(frozenset(apps), executors=False)
    assert steps[-1].done
    for earlier, later in pairwise(steps):
        assert later.missing_apps <= earlier.missing_apps
        assert later.executors >= earlier.executors
    assert all(known.silent == frozenset() for known in steps)


@given(names)
def test_hosts_return_until_all_are_listed(instances: list[str]) -> None:
    steps = [known for _, known in hosts_return(instances, 4.0)]
    assert steps[-1].done
    assert all(later.silent <= earlier.silent for earlier, later in pairwise(steps))


@given(names, st.floats(0.01, 100))
def test_everything_is_known_within_the_time_given(apps: list[str], seconds: float) -> None:
    for steps in (apps_return(apps, seconds), hosts_return(apps, seconds)):
        assert seconds * 0.3 < sum(pause for pause, _ in steps) < seconds * 1.001


def test_fixed_stages() -> None:
    apps, instances = ["a", "b", "c"], ["1", "2"]
    assert at_stage("empty", apps, instances).missing_apps == {"a", "b", "c"}
    assert at_stage("partial", apps, instances).missing_apps == {"b"}
    assert at_stage("no-hosts", apps, instances).silent == {"1", "2"}
    assert at_stage("done", apps, instances).done
