"""The reconciler in virtual time, in front of a proxy that notes each call."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from structlog.testing import CapturingLogger
from tests.drove import virtual_time

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import GatewayError
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
