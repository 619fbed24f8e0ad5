"""The reconciler: order, pace and retries, told in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import CapturingLogger
from tests.drove import virtual_time

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import CheckRefused, GatewayError, RenderError
from drove_gateway.model.health import ProxyHealth
from drove_gateway.model.plan import ApplyStage, Outcome, Plan, Step
from drove_gateway.model.proxy import ServerState
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.vocabulary import App, Host, Topology
from drove_gateway.reconciler.clock import SystemClock
from drove_gateway.reconciler.reconciler import Reconciler
from drove_gateway.reconciler.schedule import ApplyPace
from drove_gateway.topology.topology_diff import reasons, topology_diff

PACE = ApplyPace(quiet=0.05, longest=0.5, between_reloads=1.0)
RELOAD = (ApplyStage.RELOAD, 0.2)


def topology(**vhosts: int) -> Topology:
    """Vhosts by their number of servers."""
    return Topology(
        apps={
            vhost: App(
                vhost, vhost, tuple(Host("10.0.0.1", n, "http") for n in range(count)), {}, {}, ""
            )
            for vhost, count in vhosts.items()
        },
        namespaces={},
    )


class FakeProxy:
    """Reloads for vhosts that come and go; with `runtime`, servers change without a reload."""

    def __init__(self, *, runtime: bool = False, takes: float = 0.0) -> None:
        self.applied = Topology(apps={}, namespaces={})
        self.applies: list[tuple[float, Plan]] = []
        self.fail: list[GatewayError | tuple[tuple[str, str], ...] | None] = []
        self.always: GatewayError | None = None
        self.busy = False
        self._runtime = runtime
        self._takes = takes

    @property
    def times(self) -> list[float]:
        """When each apply began, in seconds of the test."""
        return [round(at, 3) for at, _ in self.applies]

    @property
    def reloads(self) -> list[float]:
        return [round(at, 3) for at, plan in self.applies if plan.reload]

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        found = topology_diff(self.applied, desired)
        servers = tuple(Step("change", each.vhost, "servers") for each in found.changed)
        if self._runtime:
            return Plan(desired, (*demands, *found.added, *found.removed), servers)
        return Plan(desired, (*demands, *reasons(found)))

    async def apply(self, plan: Plan) -> Outcome:
        assert not self.busy, "one apply at a time"
        self.applies.append((since_start(), plan))
        self.busy = True
        await asyncio.sleep(self._takes)
        self.busy = False
        outcome = self.fail.pop(0) if self.fail else self.always
        if isinstance(outcome, GatewayError):
            raise outcome
        reloaded = bool(plan.reload)
        seconds = ((ApplyStage.RENDER, 0.01), RELOAD) if reloaded else ()
        if outcome:
            return Outcome(failed=outcome, seconds=seconds, reloaded=reloaded)
        self.applied = plan.desired if plan.reload else self._without_new_vhosts(plan.desired)
        return Outcome(steps=plan.servers, seconds=seconds, reloaded=reloaded)

    def _without_new_vhosts(self, desired: Topology) -> Topology:
        apps = {vhost: desired.apps.get(vhost, app) for vhost, app in self.applied.apps.items()}
        return Topology(apps=apps, namespaces={})

    async def run(self, wake: Callable[[str], None]) -> None:
        raise NotImplementedError

    def distrust(self, reason: str) -> None:
        raise NotImplementedError

    async def servers(self, app: App) -> tuple[ServerState, ...] | None:
        raise NotImplementedError

    def health(self) -> ProxyHealth:
        raise NotImplementedError


class Counted:
    """What the reconciler counted."""

    def __init__(self) -> None:
        self.succeeded: list[float] = []
        self.failed = 0
        self.rendered: list[bool] = []
        self.records: list[ApplyRecord] = []

    def reload_succeeded(self, seconds: float) -> None:
        self.succeeded.append(round(seconds, 3))

    def reload_failed(self) -> None:
        self.failed += 1

    def template_rendered(self, ok: bool, _: float) -> None:
        self.rendered.append(ok)

    def applied(self, record: ApplyRecord) -> None:
        self.records.append(record)


class ReconcilerRun:
    """A reconciler at work on a fake proxy, in virtual time that begins at 0."""

    def __init__(self, proxy: FakeProxy, pace: ApplyPace, random: Callable[[], float]) -> None:
        self.proxy = proxy
        self.metrics = Counted()
        self.published: list[Progress] = []
        self.history: list[ApplyRecord] = []
        self.logged = CapturingLogger()
        self.reconciler = Reconciler(
            proxy,
            pace=pace,
            clock=VirtualClock(since_start, lambda: 5000 + since_start(), random),
            log=EventLog(structlog.wrap_logger(self.logged, processors=[])),
            metrics=self.metrics,
            publish=self.published.append,
            record=self.history.append,
        )

    @property
    def states(self) -> list[str]:
        return [published.state for published in self.published]

    def desire(self, trigger: str = "the test", /, **vhosts: int) -> None:
        self.reconciler.desire(topology(**vhosts), trigger)

    def levels(self) -> list[str]:
        return [call.method_name for call in self.logged.calls]


class VirtualClock(SystemClock):
    """A clock that only moves while somebody waits; so a wait takes a little longer than asked."""

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        return await super().wait(event, seconds + 1e-6)


def since_start() -> float:
    return virtual_time.now() - 1000.0


async def at(seconds: float) -> None:
    """Wait for that moment of the test."""
    await asyncio.sleep(seconds - since_start())


def run_story(
    story: Callable[[ReconcilerRun], Awaitable[None]],
    proxy: FakeProxy | None = None,
    *,
    pace: ApplyPace = PACE,
    random: Callable[[], float] = lambda: 0.5,
    until: float = 1000.0,
) -> ReconcilerRun:
    """Let `story` happen, and see what came of it when `until` seconds are over."""

    async def whole() -> ReconcilerRun:
        run = ReconcilerRun(proxy or FakeProxy(), pace, random)
        async with asyncio.TaskGroup() as group:
            group.create_task(run.reconciler.run())
            await story(run)
            await at(until)
            run.reconciler.stop()
        return run

    return virtual_time.run(whole())


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


@pytest.mark.parametrize(
    ("moment", "what"),
    [
        pytest.param(0.0, "nothing known", id="waiting for a first topology"),
        pytest.param(7.0, "idle", id="idle"),
        pytest.param(15.5, "paced", id="pacing"),
        pytest.param(31.0, "failed", id="retrying"),
    ],
)
def test_a_stop_ends_every_wait_at_once(moment: float, what: str) -> None:
    async def story() -> tuple[float, int]:
        proxy = FakeProxy()
        run = ReconcilerRun(proxy, ApplyPace(quiet=0, longest=0, between_reloads=10), lambda: 0.5)
        running = asyncio.create_task(run.reconciler.run())
        if what != "nothing known":
            await at(1)
            run.desire(web=1)
        if what == "paced":
            await at(5)
            run.desire(web=2)
            await at(12)
            run.desire(web=3)
        if what == "failed":
            await at(30)
            proxy.always = CheckRefused("no")
            run.desire(web=4)
        await at(moment)
        run.reconciler.stop()
        await running
        return since_start(), len(proxy.applies)

    ended, applies = virtual_time.run(story())
    assert ended == pytest.approx(moment)
    assert applies == {"nothing known": 0, "idle": 1, "paced": 2, "failed": 2}[what]


def test_a_stop_lets_the_step_under_way_finish_and_begins_no_other() -> None:
    async def story() -> tuple[float, FakeProxy]:
        proxy = FakeProxy(takes=5)
        run = ReconcilerRun(proxy, PACE, lambda: 0.5)
        running = asyncio.create_task(run.reconciler.run())
        run.desire(web=1)
        await at(1)
        run.desire(web=2)
        run.reconciler.stop()
        await running
        return since_start(), proxy

    ended, proxy = virtual_time.run(story())
    assert ended == 5
    assert proxy.times == [0]
    assert proxy.applied == topology(web=1)


def test_each_apply_is_kept_with_times_and_reasons() -> None:
    async def story(run: ReconcilerRun) -> None:
        await at(3)
        run.desire("namespace stage", web=1)

    run = run_story(story, FakeProxy(takes=2))
    [record] = run.history
    assert record.at == 5003
    assert record.took == pytest.approx(2)
    assert record.triggers == ("namespace stage",)
    assert record.reasons == ("vhost web added",)
    assert record.error == ""
    assert run.metrics.records == run.history
    assert run.levels() == ["info"]


def test_reloads_and_renderings_are_counted() -> None:
    proxy = FakeProxy()
    proxy.fail = [RenderError("line 3"), CheckRefused("no")]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)

    counted = run_story(story, proxy).metrics
    assert counted.failed == 2
    assert counted.rendered == [False, True]
    assert len(counted.succeeded) == 1


def test_a_failure_is_logged_with_what_is_unaffected() -> None:
    proxy = FakeProxy()
    proxy.fail = [CheckRefused("nginx says no")]

    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)

    [first, _] = run_story(story, proxy).logged.calls
    assert first.method_name == "error"
    assert "the gateway retries" in first.kwargs["msg"]
    assert first.kwargs["error"] == "nginx says no"


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


def test_while_it_is_held_back_nothing_is_begun() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        run.desire(web=1)
        await at(20)
        run.desire(web=2)
        assert run.published[-1] == Progress("held back", 5300)
        await at(40)
        run.reconciler.release()

    run = run_story(story)
    assert run.proxy.times == [40]
    assert set(run.proxy.applied.apps["web"].hosts) == set(topology(web=2).apps["web"].hosts)
    assert "warning" not in run.levels()


def test_a_hold_has_a_limit_that_is_logged() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        await at(10)
        run.desire(web=1)

    run = run_story(story)
    assert run.proxy.times == [300]
    assert run.levels()[0] == "warning"


def test_holding_back_can_be_prolonged() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        run.desire(web=1)
        await at(200)
        run.reconciler.hold_back(300)

    assert run_story(story).proxy.times == [500]


def test_the_step_under_way_is_not_held_back() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(1)
        run.reconciler.hold_back(300)
        run.desire(web=2)

    run = run_story(story, FakeProxy(takes=5.0))
    assert run.proxy.times == [0, 301]


def test_it_stops_while_it_is_held_back() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        run.desire(web=1)

    assert run_story(story, until=10.0).proxy.times == []


def test_it_reports_how_long_a_step_has_been_running() -> None:
    seen: list[float] = []

    async def story(run: ReconcilerRun) -> None:
        seen.append(run.reconciler.busy_seconds())
        run.desire(web=1)
        await at(3)
        seen.append(round(run.reconciler.busy_seconds(), 3))
        await at(6)
        seen.append(run.reconciler.busy_seconds())

    run_story(story, FakeProxy(takes=5.0))
    assert seen == [0.0, 3.0, 0.0]
