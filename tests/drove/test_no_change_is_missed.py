"""The law of the cursor: once a cluster is quiet, what was accepted is what it lists.

Without a full refresh, for any order of changes, events that are recorded late or become true
late, lost executors, failures, refusals by the guard, and moves of the leadership.
"""

import asyncio
import contextlib
from dataclasses import dataclass, field

import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.drove.fakes import Counted, FakeController, FakeEvent, Taken, served
from tests.drove.virtual_time import now, run

from drove_gateway.drove.follower import Clock
from drove_gateway.drove.leader import Standing
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import BadResponse, ControllerDown, ControllerRefused

LATE = st.floats(0, 2.5)
STEPS = st.one_of(
    st.tuples(st.just("change"), LATE, LATE),
    st.tuples(st.just("lose executor"), st.floats(0, 55), LATE),
    st.tuples(st.just("other event"), LATE, LATE),
    st.tuples(st.just("fail summary"), st.floats(0, 20), LATE),
    st.tuples(st.just("fail endpoints"), st.floats(0, 20), LATE),
    st.tuples(st.just("go slow"), st.floats(0, 4), LATE),
    st.tuples(st.just("hold"), st.floats(0, 20), LATE),
    st.tuples(st.just("move leadership"), st.floats(0, 85), st.floats(0, 10)),
)
SCRIPTS = st.lists(st.tuples(st.floats(0, 6), STEPS), max_size=12)
QUIET_SECONDS = 150.0


@dataclass
class Cluster:
    """What is true, and what each of two controllers knows and says of it."""

    skews: tuple[int, int]
    truth: dict[str, int] = field(default_factory=lambda: {"web": 1})
    taken: Taken = field(default_factory=Taken)
    leader: int = 0
    changes: int = 0
    named: int = 0

    def __post_init__(self) -> None:
        self.controllers = [
            FakeController("http://c1:10000", apps=self.truth),
            FakeController("http://c2:10000", Standing.STANDS_BY, apps=self.truth),
        ]
        self.clear_store(0)

    def stamp(self) -> int:
        """The leader's clock, so coarse that events often share a stamp."""
        return int(now() * 10) * 100 + self.skews[self.leader]

    async def play(self, step: tuple[str, float, float]) -> None:
        kind, long, short = step
        leading = self.controllers[self.leader]
        match kind:
            case "change":
                app = self.next_app()
                self.record("INSTANCE_STATE_CHANGE", recorded_after=long, APP_NAME=app)
                self.later(short, lambda: self.change(app))
            case "lose executor":
                app = self.next_app()
                self.record("EXECUTOR_REMOVED", recorded_after=short)
                self.later(long, lambda: self.change(app))
            case "other event":
                self.record("TASK_STATE_CHANGE", recorded_after=short)
            case "fail summary":
                leading.events_error = ControllerRefused("503", 503)
                self.later(long, lambda: setattr(leading, "events_error", None))
            case "fail endpoints":
                leading.endpoints_error = (
                    BadResponse("half") if long < 10 else ControllerDown("cut")
                )
                self.later(long, lambda: setattr(leading, "endpoints_error", None))
            case "go slow":
                leading.latency = long
            case "hold":
                self.taken.holding = True
                self.later(long, lambda: setattr(self.taken, "holding", False))
            case "move leadership":
                await self.move_leadership(known_after=long, gap=short)

    def next_app(self) -> str:
        self.named += 1
        return f"app{self.named % 3}"

    def change(self, app: str) -> None:
        self.changes += 1
        self.truth[app] = self.changes

    def record(self, kind: str, *, recorded_after: float, **metadata: object) -> None:
        event = FakeEvent(self.stamp(), kind, metadata)
        store = self.controllers[self.leader].recorded
        self.later(recorded_after, lambda: store.append(event))

    def clear_store(self, place: int) -> None:
        self.controllers[place].recorded = [FakeEvent(self.stamp(), "LEADERSHIP_ACQUIRED")]

    async def move_leadership(self, *, known_after: float, gap: float) -> None:
        """The other one leads, or after an even number of changes the same one again."""
        self.controllers[self.leader].standing = Standing.STANDS_BY
        self.controllers[self.leader].recorded = []
        if self.changes % 2:
            self.leader = 1 - self.leader
        await asyncio.sleep(gap)
        chosen = self.controllers[self.leader]
        chosen.apps = {}
        self.later(known_after, lambda: setattr(chosen, "apps", self.truth))
        self.clear_store(self.leader)
        chosen.standing = Standing.LEADS

    @staticmethod
    def later(seconds: float, act: object) -> None:
        assert callable(act)
        asyncio.get_running_loop().call_later(seconds, act)

    def calm(self) -> None:
        for controller in self.controllers:
            controller.latency = 0.0
            controller.events_error = controller.endpoints_error = None
        self.taken.holding = False


async def play(
    script: list[tuple[float, tuple[str, float, float]]], skew: int, interval: float
) -> Cluster:
    cluster = Cluster(skews=(0, skew))
    watch = NamespaceWatch(
        "stage",
        cluster.controllers,
        pace=PollPace(ping=2.0, events=interval, full_refresh=1e9, burst=0.5),
        accept=cluster.taken.accept,
        publish=cluster.taken.publish,
        metrics=Counted(),
        log=EventLog(structlog.get_logger()),
        around=Clock(clock=now, wall=now, random=lambda: 0.5),
    )
    task = asyncio.create_task(watch.run())
    for pause, step in script:
        await asyncio.sleep(pause)
        await cluster.play(step)
    await asyncio.sleep(20)
    cluster.calm()
    await asyncio.sleep(QUIET_SECONDS)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return cluster


@settings(max_examples=60, deadline=None)
@given(SCRIPTS, st.sampled_from([-60_000, 0, 60_000]), st.sampled_from([0.25, 1.0, 5.0]))
def test_once_quiet_what_was_accepted_is_what_the_cluster_lists(
    script: list[tuple[float, tuple[str, float, float]]], skew: int, interval: float
) -> None:
    with structlog.testing.capture_logs():
        cluster = run(play(script, skew, interval))
    assert served(cluster.taken.snapshots[-1]) == cluster.truth
    view = cluster.taken.views[-1]
    assert not view.syncing
    assert not view.settling
    assert view.last_error == ""


@settings(max_examples=30, deadline=None)
@given(SCRIPTS, st.sampled_from([-60_000, 60_000]))
def test_a_controller_is_asked_with_nothing_but_zero_and_what_it_gave(
    script: list[tuple[float, tuple[str, float, float]]], skew: int
) -> None:
    with structlog.testing.capture_logs():
        cluster = run(play(script, skew, 1.0))
    for controller in cluster.controllers:
        assert set(controller.asked) <= {0, *controller.given}
