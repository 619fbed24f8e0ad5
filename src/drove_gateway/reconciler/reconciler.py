"""The loop that brings the proxy to the desired topology. `schedule` decides when.

Latest wins: there is one desired topology, not a queue. One apply runs at a time. What is applied
is known by the proxy's driver, and only what was applied counts: a failed apply leaves a
difference, so it is tried again.
"""

import asyncio
from collections.abc import Callable

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import (
    CheckRefused,
    CommandFailed,
    CommandTimeout,
    GatewayError,
    ReloadTimeout,
    RenderError,
)
from drove_gateway.model.noticed import Noticed, way_in
from drove_gateway.model.plan import Outcome, Plan
from drove_gateway.model.proxy import Proxy
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.vocabulary import Topology
from drove_gateway.model.workers import ReloadPressure, Workers
from drove_gateway.reconciler import report
from drove_gateway.reconciler.clock import Clock
from drove_gateway.reconciler.report import ReconcilerMetrics
from drove_gateway.reconciler.schedule import (
    Action,
    ApplyPace,
    Attempt,
    Decision,
    Result,
    Schedule,
)

# After any other error, a reload may have happened before it.
_NOT_RELOADED = (RenderError, CheckRefused, CommandFailed, CommandTimeout)


class Reconciler:
    """Owns the order of work on one proxy. `run` is its only task; the rest only leaves notes."""

    def __init__(
        self,
        proxy: Proxy,
        *,
        pace: ApplyPace,
        clock: Clock,
        log: EventLog,
        metrics: ReconcilerMetrics,
        publish: Callable[[Progress], None],
        record: Callable[[ApplyRecord], None],
    ) -> None:
        self._proxy = proxy
        self._clock = clock
        self._log = log
        self._metrics = metrics
        self._publish = publish
        self._record = record
        self._desired: Topology | None = None
        self._schedule = Schedule(pace)
        self._rescheduled = asyncio.Event()
        self._published: Decision | None = None
        self._working_since: float | None = None
        self._stopping = False

    def desire(self, topology: Topology, trigger: str, noticed: Noticed | None = None) -> None:
        """Make `topology` the one to reach. `trigger` says what changed, and `noticed` when that
        was noticed, for the history."""
        self._desired = topology
        now = self._clock.monotonic()
        self._reschedule(self._schedule.desired(trigger, now, way_in(noticed, now)))

    def demand(self, reason: str) -> None:
        """Request a new configuration generation, whether or not the topology changed."""
        self._reschedule(self._schedule.demanded(reason, self._clock.monotonic()))

    def wake(self, trigger: str) -> None:
        """Plan again: something may not be as it should be."""
        self._reschedule(self._schedule.woken(trigger, self._clock.monotonic()))

    def hold_back(self, seconds: float) -> None:
        """Begin nothing for `seconds`, or until `release`: the proxy is being restarted."""
        self._reschedule(self._schedule.held_back(seconds, self._clock.monotonic()))

    def release(self) -> None:
        """End `hold_back`."""
        self._reschedule(self._schedule.released())

    def observe(self, workers: Workers) -> ReloadPressure:
        """Pace reloads by the workers that the proxy has; return how far apart they are."""
        due = self._schedule.next_try
        self._schedule = self._schedule.observed(workers)
        if self._schedule.next_try != due:
            self._rescheduled.set()
            self._publish(self._progress(self._clock.monotonic()))
        return self._schedule.pressure

    def busy_seconds(self) -> float:
        """Return how long the apply in progress has been running; 0 when there is none."""
        if self._working_since is None:
            return 0.0
        return self._clock.monotonic() - self._working_since

    def stop(self) -> None:
        """End `run` after the step in progress."""
        self._stopping = True
        self._rescheduled.set()

    async def run(self) -> None:
        """Reconcile until `stop`."""
        while not self._stopping:
            now = self._clock.monotonic()
            decision = self._schedule.decide(now)
            match decision.action:
                case Action.BEGIN if self._desired is not None:
                    await self._reconcile(self._desired)
                case Action.END_HOLD:
                    self._log.write(LogEvent.PROXY_RESTART_OVERDUE)
                    self._schedule = self._schedule.released()
                case _:
                    self._show(decision, now)
                    self._rescheduled.clear()
                    await self._clock.wait(self._rescheduled, decision.until - now)

    def _reschedule(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._rescheduled.set()

    def _show(self, decision: Decision, now: float) -> None:
        """Publish that the work waits, once for each reason."""
        before, self._published = self._published, decision
        if decision.action is Action.STAY_ON_HOLD and decision != before:
            due = self._clock.wall() + decision.until - now
            self._publish(Progress("held back", due, self._schedule.attempts))
        if decision.action is Action.COLLECT and not (before and before.action is Action.COLLECT):
            self._publish(Progress("collecting"))

    async def _reconcile(self, desired: Topology) -> None:
        plan = self._proxy.plan(desired, self._schedule.demands)
        now = self._clock.monotonic()
        self._schedule, attempt = self._schedule.begun(now, reload=bool(plan.reload))
        if attempt.reload_waits:
            plan = plan.without_reload()
        result = Result(worked=False) if plan.empty else await self._apply(plan, attempt)
        now = self._clock.monotonic()
        self._schedule = self._schedule.ended(attempt, result, now, jitter=self._clock.jitter())
        self._published = None
        self._publish(self._progress(now))

    def _progress(self, now: float) -> Progress:
        next_try = self._schedule.next_try
        if next_try is None:
            return Progress("idle")
        due = self._clock.wall() + next_try.at - now
        return Progress(next_try.state, due, self._schedule.attempts, next_try.error)

    async def _apply(self, plan: Plan, attempt: Attempt) -> Result:
        self._publish(Progress("applying", attempts=self._schedule.attempts))
        at, begin = self._clock.wall(), self._clock.monotonic()
        outcome, error, refused = Outcome(), "", False
        self._working_since = begin
        try:
            outcome = await self._proxy.apply(plan)
        except (GatewayError, OSError) as failure:
            error = str(failure)
            refused = isinstance(failure, _NOT_RELOADED) and not isinstance(failure, ReloadTimeout)
            report.count_failure(self._metrics, plan, failure)
        finally:
            self._working_since = None
        record = ApplyRecord(
            at=at,
            took=self._clock.monotonic() - begin,
            triggers=attempt.triggers or ("retry",),
            reasons=plan.reload,
            steps=outcome.steps,
            failed=outcome.failed,
            seconds=outcome.seconds,
            error=error,
            reload_waits=attempt.reload_waits,
            reloaded=outcome.reloaded,
            waited=attempt.waited,
            noticed=attempt.way_in.noticed,
            fetched=attempt.way_in.fetched,
        )
        report.count(self._metrics, record, outcome)
        self._record(record)
        report.log_record(self._log, record)
        return Result(
            reload=bool(plan.reload) and not refused and (outcome.reloaded or bool(error)),
            reload_refused=bool(plan.reload) and refused,
            error=error,
            failed_vhosts="; ".join(f"{vhost}: {reason}" for vhost, reason in outcome.failed),
        )
