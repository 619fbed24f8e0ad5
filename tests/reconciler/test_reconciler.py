"""The reconciler: order, pace and retries, told in virtual time."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.reconciler.story import FakeProxy, ReconcilerRun, at, run_story, topology

from drove_gateway.model.errors import CheckRefused, GatewayError, RenderError
from drove_gateway.reconciler.schedule import ApplyPace


def test_a_first_change_is_applied_at_once() -> None:
    async def story(run: ReconcilerRun) -> None:
        await at(10)
        run.desire(web=1)

    run = run_story(story)
    assert run.proxy.times == [10]
    assert run.states == ["applying", "idle"]


def test_a_change_after_quiet_time_is_applied_at_once() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(5)
        run.desire(web=2)

    assert run_story(story).proxy.times == [0, 5]


def test_what_follows_is_collected_until_it_is_quiet() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        for number, moment in enumerate((0.02, 0.05, 0.08)):
            await at(moment)
            run.desire(web=2 + number)

    run = run_story(story, FakeProxy(runtime=True))
    assert run.proxy.times == [0, 0.13]
    assert run.proxy.applied == topology(web=4)
    assert "collecting" in run.states


def test_collecting_has_a_hard_maximum() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        for number in range(100):
            await at(0.01 + 0.04 * number)
            run.desire(web=number + 2)

    times = run_story(story, FakeProxy(runtime=True)).proxy.times
    assert times[:3] == [0, 0.51, pytest.approx(1.01, abs=0.05)]


def test_the_latest_wins() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire("first", web=1)
        run.desire("second", web=2)
        run.desire("third", web=3)

    run = run_story(story)
    assert [plan.desired for _, plan in run.proxy.applies] == [topology(web=3)]
    assert run.history[0].triggers == ("first", "second", "third")


def test_changes_during_an_apply_wait_for_its_end_and_come_together() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        for moment in (1, 2, 3):
            await at(moment)
            run.desire(web=moment + 1)

    run = run_story(
        story, FakeProxy(takes=5), pace=ApplyPace(quiet=0, longest=0, between_reloads=0)
    )
    assert run.proxy.times == [0, 5]
    assert run.proxy.applied == topology(web=4)


def test_what_is_applied_already_is_not_applied_again() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(10)
        run.desire(web=1)
        await at(20)
        run.reconciler.wake("somebody asked")

    assert run_story(story).proxy.times == [0]


def test_nothing_happens_before_a_topology_is_known() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.wake("early")
        run.reconciler.demand("earlier")
        await at(10)
        run.desire("answered", web=1)

    run = run_story(story)
    assert run.proxy.times == [10]
    assert run.history[0].triggers == ("early", "earlier", "answered")


def test_an_empty_topology_is_one() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(10)
        run.desire()

    assert run_story(story).proxy.times == [0, 10]


def test_reloads_keep_their_distance() -> None:
    async def story(run: ReconcilerRun) -> None:
        for number in range(1, 6):
            await at(0.3 * number)
            run.desire("deployed", **{f"v{each}": 1 for each in range(number)})

    run = run_story(story)
    assert run.proxy.reloads == [0.3, 1.3, 2.3]
    assert run.proxy.applied == topology(v0=1, v1=1, v2=1, v3=1, v4=1)
    assert "pacing" in run.states
    assert run.states[-1] == "idle"


def test_servers_do_not_wait_for_the_reload_of_a_new_vhost() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(0.5)
        run.desire(web=2, new=1)

    run = run_story(story, FakeProxy(runtime=True))
    assert run.proxy.times == [0, 0.5, 1.0]
    assert run.proxy.reloads == [0, 1.0]
    _, runtime_first = run.proxy.applies[1]
    assert (runtime_first.reload, len(runtime_first.servers)) == ((), 1)
    assert run.proxy.applied == topology(web=2, new=1)


def test_the_distance_counts_from_the_end_of_a_reload() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(1)
        run.desire(web=2)

    assert run_story(story, FakeProxy(takes=4)).proxy.reloads == [0, 5]


def test_a_failed_apply_is_tried_again_at_growing_intervals() -> None:
    proxy = FakeProxy()
    proxy.always = CheckRefused("no")

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)

    run = run_story(story, proxy, until=200)
    waits = [later - sooner for sooner, later in pairwise(proxy.times)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    retrying = [published for published in run.published if published.state == "retrying"]
    assert [published.attempts for published in retrying[:3]] == [1, 2, 3]
    assert retrying[0].error == "no"
    assert retrying[0].due == pytest.approx(5001)


@pytest.mark.parametrize("random", [0.0, 0.3, 0.5, 0.99])
def test_a_retry_comes_whatever_the_jitter_and_the_distance_of_reloads(random: float) -> None:
    proxy = FakeProxy()
    proxy.fail = [CheckRefused("no"), CheckRefused("no")]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)

    run = run_story(story, proxy, random=lambda: random)
    assert proxy.applied == topology(web=1)
    assert run.states[-1] == "idle"


def test_a_change_ends_the_wait_for_a_retry() -> None:
    proxy = FakeProxy()
    proxy.fail = [CheckRefused("no")] * 5

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(20)
        run.desire(web=2)

    run_story(story, proxy)
    assert proxy.times == [0, 1, 3, 7, 15, 20]
    assert proxy.applied == topology(web=2)


def test_after_success_retries_begin_anew() -> None:
    proxy = FakeProxy()
    failure = CheckRefused("no")
    proxy.fail = [failure, failure, failure, None, failure, failure]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(100)
        run.desire(web=2)

    run_story(story, proxy)
    assert proxy.times == [0, 1, 3, 7, 100, 101, 103]


def test_vhosts_that_failed_are_tried_again_and_the_rest_is_kept() -> None:
    proxy = FakeProxy(runtime=True)
    proxy.fail = [None, (("web", "no such host"),)]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(10)
        run.desire(web=2)

    run = run_story(story, proxy)
    assert proxy.times == [0, 10, 11]
    assert proxy.applied == topology(web=2)
    [retrying] = [published for published in run.published if published.state == "retrying"]
    assert retrying.error == "web: no such host"
    assert run.levels() == ["info", "warning", "info"]


def test_a_demand_reloads_without_any_difference_once() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(10)
        run.reconciler.demand("the template changed")
        run.reconciler.demand("the template changed")
        await at(20)
        run.reconciler.wake("again")

    run = run_story(story)
    assert run.proxy.reloads == [0, 10]
    assert run.history[1].reasons == ("the template changed",)


def test_a_demand_that_failed_is_kept() -> None:
    proxy = FakeProxy()
    proxy.fail = [None, RenderError("line 3")]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(10)
        run.reconciler.demand("the template changed")

    assert run_story(story, proxy).proxy.reloads == [0, 10, 11]


def test_a_demand_that_came_during_an_apply_is_not_lost() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(2)
        run.reconciler.demand("the template changed")

    run = run_story(story, FakeProxy(takes=5))
    assert run.proxy.reloads == [0, 6]


def test_a_vhost_that_fails_does_not_make_a_demanded_reload_happen_again() -> None:
    proxy = FakeProxy(runtime=True)
    proxy.fail = [None, (("web", "no such host"),), (("web", "no such host"),)]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(10)
        run.reconciler.demand("the template changed")
        run.desire(web=2)

    run_story(story, proxy)
    assert proxy.times == [0, 10, 11, 13]
    assert proxy.reloads == [0, 10]


def test_a_new_vhost_does_not_wait_for_the_retry_of_another() -> None:
    proxy = FakeProxy(runtime=True)
    proxy.fail = [None, *[(("web", "no such host"),)] * 20]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(10)
        run.desire(web=2)
        await at(80)
        run.desire(web=2, new=1)
        await at(80.5)
        run.desire(web=2, new=1, newer=1)

    run_story(story, proxy, until=90)
    assert proxy.reloads == [0, 80, 81]


MOMENTS = st.floats(0, 30, allow_nan=False).map(lambda seconds: round(seconds, 3))

CHANGES = st.tuples(MOMENTS, st.dictionaries(st.sampled_from("abc"), st.integers(0, 4)))

FAILURES = st.lists(
    st.sampled_from([None, CheckRefused("no"), (("web", "no such host"),)]), max_size=8
)


@given(
    changes=st.lists(CHANGES, min_size=1, max_size=12),
    failures=FAILURES,
    runtime=st.booleans(),
    takes=st.sampled_from([0.0, 0.01, 0.7, 3.0]),
    jitter=st.lists(st.floats(0, 1), min_size=8, max_size=8),
    between=st.sampled_from([0.0, 1.0, 5.0]),
)
def test_no_update_is_lost(
    changes: list[tuple[float, dict[str, int]]],
    failures: list[GatewayError | tuple[tuple[str, str], ...] | None],
    runtime: bool,
    takes: float,
    jitter: list[float],
    between: float,
) -> None:
    """Whatever comes when, and whatever fails: in the end the proxy has the latest topology, one
    apply was at work at a time, and reloads kept their distance.
    """
    changes.sort(key=lambda change: change[0])
    proxy = FakeProxy(runtime=runtime, takes=takes)
    proxy.fail = list(failures)
    randoms = iter(jitter * 100)

    async def story(run: ReconcilerRun) -> None:
        for moment, vhosts in changes:
            await at(moment)
            run.desire("changed", **vhosts)

    pace = ApplyPace(quiet=0.05, longest=0.5, between_reloads=between)
    run = run_story(story, proxy, pace=pace, random=lambda: next(randoms))
    assert proxy.applied == topology(**changes[-1][1])
    assert run.states == [] or run.states[-1] == "idle"
    distances = [later - sooner for sooner, later in pairwise(proxy.reloads)]
    assert all(distance >= takes + between - 0.002 for distance in distances)
