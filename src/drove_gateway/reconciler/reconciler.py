"""The loop that brings the proxy to the topology: order, pace, retries, and what is published.

Latest wins: there is one desired topology and one dirty flag, not a queue. One apply runs at a
time. What is applied is known by the proxy's driver, and only what was applied counts: a failed
apply leaves a difference, so it is tried again.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import GatewayError, RenderError
from drove_gateway.model.plan import ApplyStage, Outcome, Plan
from drove_gateway.model.proxy import Proxy
from drove_gateway.model.records import ApplyRecord, Progress, ReconcilerState
from drove_gateway.model.vocabulary import Topology

_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0


class ReconcilerMetrics(Protocol):
    """What the reconciler counts."""

    def reload_succeeded(self, seconds: float) -> None: ...
    def reload_failed(self) -> None: ...
    def template_rendered(self, result: str, seconds: float) -> None: ...
    def applied(self, record: ApplyRecord) -> None: ...


class ApplyPace(msgspec.Struct, frozen=True):
    """How changes are collected, in seconds.

    A change after a quiet time is applied at once. What follows within `quiet` is collected until
    it is quiet again, for `longest` at most. Two reloads are `between_reloads` apart.
    """

    quiet: float
    longest: float
    between_reloads: float


class Time(Protocol):
    """Time as the reconciler needs it; tests bring their own."""

    def monotonic(self) -> float: ...
    def wall(self) -> float: ...
    def jitter(self) -> float:
        """A random factor about 1."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        """Wait until `event` is set (True) or `seconds` are over (False); None waits forever."""
        ...


class Reconciler:
    """Owns the order of work on one proxy. `run` is its only task; the rest only leaves notes."""

    def __init__(
        self,
        proxy: Proxy,
        *,
        pace: ApplyPace,
        time: Time,
        log: FilteringBoundLogger,
        metrics: ReconcilerMetrics,
        publish: Callable[[Progress], None],
        record: Callable[[ApplyRecord], None],
    ) -> None:
        self._proxy = proxy
        self._pace = pace
        self._time = time
        self._log = log
        self._metrics = metrics
        self._publish = publish
        self._record = record
        self._desired: Topology | None = None
        self._demands: tuple[str, ...] = ()
        self._triggers: tuple[str, ...] = ()
        self._changed = asyncio.Event()
        self._stopping = False
        self._free = asyncio.Event()
        self._free.set()
        self._free_at = 0.0
        self._working_since: float | None = None
        self._first_change = 0.0
        self._last_change = 0.0
        self._last_work = float("-inf")
        self._next_reload = float("-inf")
        self._attempts = 0
        self._due: float | None = None

    def desire(self, topology: Topology, trigger: str) -> None:
        """Make `topology` the one to reach. `trigger` says what changed, for the history."""
        self._desired = topology
        self.wake(trigger)

    def demand(self, reason: str) -> None:
        """Ask for a new configuration generation, whether or not the topology changed."""
        if reason not in self._demands:
            self._demands = (*self._demands, reason)
        self.wake(reason)

    def wake(self, trigger: str) -> None:
        """Plan again: something may not be as it should be."""
        now = self._time.monotonic()
        if not self._changed.is_set():
            self._first_change = now
        self._last_change = now
        if trigger not in self._triggers:
            self._triggers = (*self._triggers, trigger)
        self._changed.set()

    def hold_back(self, seconds: float) -> None:
        """Begin nothing for `seconds`, or until `release`: the proxy is being restarted."""
        self._free_at = self._time.monotonic() + seconds
        self._free.clear()

    def release(self) -> None:
        """End `hold_back`."""
        self._free.set()

    def busy_seconds(self) -> float:
        """For how long the apply under way has been going on; 0 when there is none."""
        if self._working_since is None:
            return 0.0
        return self._time.monotonic() - self._working_since

    def stop(self) -> None:
        """End `run` after the step under way."""
        self._stopping = True
        self._free.set()
        self._changed.set()

    async def run(self) -> None:
        """Reconcile until `stop`."""
        while not self._stopping:
            woken = await self._time.wait(self._changed, self._until_due())
            await self._held_back()
            if woken and not self._stopping:
                await self._collect()
            if self._desired is not None and not self._stopping:
                await self._reconcile(self._desired)
            elif not self._stopping:
                self._changed.clear()

    def _until_due(self) -> float | None:
        return None if self._due is None else max(0.0, self._due - self._time.monotonic())

    async def _held_back(self) -> None:
        while not self._free.is_set():
            left = self._free_at - self._time.monotonic()
            if left <= 0:
                self._log.warning("held back long enough, going on although nobody said so")
                self._free.set()
                return
            self._publish(Progress("held back", self._time.wall() + left, self._attempts))
            await self._time.wait(self._free, left)

    async def _collect(self) -> None:
        """Let what belongs together arrive together; the first change after quiet goes at once."""
        if self._last_change - self._last_work >= self._pace.quiet:
            return
        self._publish(Progress("collecting"))
        never = asyncio.Event()
        latest = self._first_change + self._pace.longest
        while not self._stopping:
            now = self._time.monotonic()
            quiet_at = min(self._last_change + self._pace.quiet, latest)
            if now >= quiet_at:
                return
            await self._time.wait(never, quiet_at - now)

    async def _reconcile(self, desired: Topology) -> None:
        self._changed.clear()
        self._due = None
        triggers, self._triggers = self._triggers, ()
        demands = self._demands
        plan = self._proxy.plan(desired, demands)
        wait = self._next_reload - self._time.monotonic() if plan.reload else 0.0
        if wait > 0:
            self._triggers = triggers
            plan = plan.without_reload()
        well = plan.empty or await self._apply(plan, triggers or ("retry",), reload_waits=wait > 0)
        if wait > 0:
            self._reload_later()
            return
        if well:
            self._demands = tuple(one for one in self._demands if one not in demands)
        if self._due is None:
            self._attempts = 0
            self._publish(Progress("idle"))

    async def _apply(self, plan: Plan, triggers: tuple[str, ...], *, reload_waits: bool) -> bool:
        """Whether the plan as a whole was carried out, be it without some vhosts."""
        self._publish(Progress("applying", attempts=self._attempts))
        at, begin = self._time.wall(), self._time.monotonic()
        outcome, error = Outcome(), ""
        self._working_since = begin
        try:
            outcome = await self._proxy.apply(plan)
        except (GatewayError, OSError) as failure:
            error = str(failure)
            self._count_failure(plan, failure)
        finally:
            self._working_since = None
        now = self._time.monotonic()
        self._last_work = now
        if plan.reload:
            self._next_reload = now + self._pace.between_reloads
        record = ApplyRecord(
            at=at,
            took=now - begin,
            triggers=triggers,
            reasons=plan.reload,
            steps=outcome.steps,
            failed=outcome.failed,
            seconds=outcome.seconds,
            error=error,
            reload_waits=reload_waits,
            reloaded=outcome.reloaded,
        )
        self._count(record, outcome)
        self._record(record)
        self._note(record)
        if error or outcome.failed:
            self._retry(error or "; ".join(f"{vhost}: {why}" for vhost, why in outcome.failed))
        else:
            self._attempts = 0
        return not error

    def _reload_later(self) -> None:
        """Come back when the pace allows a reload, or earlier if something is to be retried."""
        if self._due is None or self._due > self._next_reload:
            self._schedule("pacing", self._next_reload - self._time.monotonic(), "")

    def _retry(self, error: str) -> None:
        seconds = min(_LONGEST_RETRY_SECONDS, _FIRST_RETRY_SECONDS * 2**self._attempts)
        self._attempts = min(self._attempts + 1, 10)
        self._schedule("retrying", seconds * self._time.jitter(), error)

    def _schedule(self, state: ReconcilerState, seconds: float, error: str) -> None:
        self._due = self._time.monotonic() + seconds
        self._publish(Progress(state, self._time.wall() + seconds, self._attempts, error))

    def _count(self, record: ApplyRecord, outcome: Outcome) -> None:
        seconds = dict(outcome.seconds)
        if outcome.reloaded:
            self._metrics.reload_succeeded(record.took)
        if ApplyStage.RENDER in seconds:
            self._metrics.template_rendered("success", seconds[ApplyStage.RENDER])
        self._metrics.applied(record)

    def _count_failure(self, plan: Plan, failure: Exception) -> None:
        if plan.reload:
            self._metrics.reload_failed()
        if isinstance(failure, RenderError):
            self._metrics.template_rendered("error", 0.0)

    def _note(self, record: ApplyRecord) -> None:
        facts = {
            "took_ms": round(record.took * 1000, 1),
            "stages_ms": {
                stage.value: round(seconds * 1000, 1) for stage, seconds in record.seconds
            },
            "triggers": list(record.triggers),
            "reasons": list(record.reasons),
            "steps": len(record.steps),
        }
        if record.error:
            self._log.error("apply failed, traffic stays as it was", error=record.error, **facts)
        elif record.failed:
            self._log.warning("applied, but not for every vhost", failed=record.failed, **facts)
        else:
            self._log.info("applied", **facts)


class SystemTime:
    """The machine's time."""

    def __init__(
        self, monotonic: Callable[[], float], wall: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self.monotonic = monotonic
        self.wall = wall
        self._random = random

    def jitter(self) -> float:
        return 0.8 + 0.4 * self._random()

    async def wait(self, event: asyncio.Event, seconds: float | None) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True
