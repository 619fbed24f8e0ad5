"""When the reconciler works, as a pure value. All times are monotonic seconds.

The rules:
- The first change after a quiet time is applied immediately. Changes that follow are collected
  until it is quiet again, for a limited time.
- Two reloads keep a distance, which grows with the old workers that the proxy still has. What does
  not need the reload does not wait for it. A reload that was refused left no workers, so that the
  next keeps only the shortest distance.
- What failed is tried again, at growing intervals. A change ends the wait.
- While the proxy is restarted, the work is on hold: nothing begins until it is released, or until
  the hold's limit.

Each method returns a new `Schedule`; the reconciler keeps the latest and does what `decide` says.
"""

import enum
import math
from typing import Literal, Self

import msgspec

from drove_gateway.model.backoff import backoff
from drove_gateway.model.noticed import NOT_MEASURED, WayIn
from drove_gateway.model.workers import ReloadPressure, Workers
from drove_gateway.reconciler.reload_interval import reload_pressure

_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 60.0


class ApplyPace(msgspec.Struct, frozen=True):
    """How changes are collected, in seconds.

    A change after a quiet time is applied immediately. Changes within `quiet` seconds of each
    other are collected, for at most `longest`. Two reloads are `between_reloads` apart, and up to
    `longest_between_reloads` while the proxy has many old workers.
    """

    quiet: float
    longest: float
    between_reloads: float
    longest_between_reloads: float = 0.0


class Action(enum.Enum):
    """What the reconciler does next."""

    WAIT = "wait"
    COLLECT = "collect"
    STAY_ON_HOLD = "stay on hold"
    END_HOLD = "end the hold"
    BEGIN = "begin"


class Decision(msgspec.Struct, frozen=True):
    """What to do next, and until when it stays so if nothing happens; infinite: for good."""

    action: Action
    until: float = math.inf


class Attempt(msgspec.Struct, frozen=True):
    """Work that has begun: what triggered it, and the demands for a reload that it meets.

    `reload_waits` says that a reload is needed, but comes too soon after the last one. `waited` is
    how long the first change waited for other changes and for the plan, `way_in` how long the
    slowest change took until it was desired.
    """

    triggers: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    reload_waits: bool = False
    waited: float | None = None
    way_in: WayIn = NOT_MEASURED


class Result(msgspec.Struct, frozen=True):
    """How an attempt ended. `worked` is whether the proxy was changed, `reload` whether a reload
    was part of it that may have left old workers, `reload_refused` whether one was due that was
    certainly not made. `error` and `failed_vhosts` tell what failed: the whole, or some vhosts."""

    worked: bool = True
    reload: bool = False
    reload_refused: bool = False
    error: str = ""
    failed_vhosts: str = ""


class NextTry(msgspec.Struct, frozen=True):
    """When the reconciler comes back by itself, and why."""

    at: float
    state: Literal["pacing", "retrying"]
    error: str = ""


class Schedule(msgspec.Struct, frozen=True):
    """What has changed, what is due, and what must wait.

    `ready` is whether there is a topology to apply. `changed` is whether something happened since
    the last attempt began. `attempts` counts the failures in a row.
    """

    pace: ApplyPace
    ready: bool = False
    changed: bool = False
    triggers: tuple[str, ...] = ()
    demands: tuple[str, ...] = ()
    first_change: float = -math.inf
    last_change: float = -math.inf
    way_in: WayIn = NOT_MEASURED
    last_work: float = -math.inf
    last_reload: float = -math.inf
    last_refusal: float = -math.inf
    workers: Workers = Workers()
    held_until: float | None = None
    attempts: int = 0
    next_try: NextTry | None = None

    def woken(self, trigger: str, now: float) -> Self:
        """Something may not be as it should be: plan again. `trigger` is kept for the history."""
        return msgspec.structs.replace(
            self,
            changed=True,
            triggers=_added(self.triggers, trigger),
            first_change=self.first_change if self.changed and self.ready else now,
            last_change=now,
        )

    def desired(self, trigger: str, now: float, way_in: WayIn = NOT_MEASURED) -> Self:
        """There is a topology to apply, a first or another one."""
        return msgspec.structs.replace(
            self.woken(trigger, now), ready=True, way_in=self.way_in.longest(way_in)
        )

    def demanded(self, reason: str, now: float) -> Self:
        """A reload is demanded, whether or not the topology changed."""
        return msgspec.structs.replace(
            self.woken(reason, now), demands=_added(self.demands, reason)
        )

    def held_back(self, seconds: float, now: float) -> Self:
        """Begin nothing for `seconds`, or until `released`."""
        return msgspec.structs.replace(self, held_until=now + seconds)

    def released(self) -> Self:
        """The hold is over."""
        return msgspec.structs.replace(self, held_until=None)

    def observed(self, workers: Workers) -> Self:
        """The proxy has these workers: a reload that waits for its interval waits accordingly."""
        schedule = msgspec.structs.replace(self, workers=workers)
        if self.next_try is not None and self.next_try.state == "pacing":
            return schedule._paced_anew()
        return schedule

    @property
    def pressure(self) -> ReloadPressure:
        """How far apart reloads are at present, and why."""
        pace = self.pace
        return reload_pressure(self.workers, pace.between_reloads, pace.longest_between_reloads)

    @property
    def next_reload(self) -> float:
        """When the next reload is allowed."""
        earliest = self.last_refusal + self.pace.between_reloads
        return max(self.last_reload + self.pressure.interval, earliest)

    def decide(self, now: float) -> Decision:
        """Return what to do at `now`."""
        due = self.next_try is not None and self.next_try.at <= now
        if not self.ready or not (self.changed or due):
            return Decision(Action.WAIT, self.next_try.at if self.next_try else math.inf)
        if self.held_until is not None:
            if now >= self.held_until:
                return Decision(Action.END_HOLD, now)
            return Decision(Action.STAY_ON_HOLD, self.held_until)
        quiet_at = self._quiet_at()
        if now < quiet_at:
            return Decision(Action.COLLECT, quiet_at)
        return Decision(Action.BEGIN, now)

    def begun(self, now: float, *, reload: bool) -> tuple[Self, Attempt]:
        """An attempt begins; `reload` is whether its plan needs one."""
        waits = reload and now < self.next_reload
        waited = now - self.first_change if self.changed else None
        attempt = Attempt(
            self.triggers, self.demands, reload_waits=waits, waited=waited, way_in=self.way_in
        )
        schedule = msgspec.structs.replace(
            self,
            changed=False,
            next_try=None,
            way_in=NOT_MEASURED,
            triggers=self.triggers if waits else (),
            # A demand that comes during the attempt is another one, be its reason the same.
            demands=(),
        )
        return schedule, attempt

    def ended(self, attempt: Attempt, result: Result, now: float, *, jitter: float) -> Self:
        """The attempt ended. `jitter` is a factor of about 1 for the wait before a retry."""
        schedule = self
        if result.worked:
            schedule = schedule._after_work(result, now, jitter)
        if attempt.reload_waits or result.error:
            demands = tuple(dict.fromkeys((*attempt.demands, *schedule.demands)))
            schedule = msgspec.structs.replace(schedule, demands=demands)
        if attempt.reload_waits:
            return schedule._paced()
        if schedule.next_try is None:
            return msgspec.structs.replace(schedule, attempts=0)
        return schedule

    def _after_work(self, result: Result, now: float, jitter: float) -> Self:
        problem = result.error or result.failed_vhosts
        attempts = self.attempts + 1 if problem else 0
        return msgspec.structs.replace(
            self,
            last_work=now,
            last_reload=now if result.reload else self.last_reload,
            last_refusal=now if result.reload_refused else self.last_refusal,
            attempts=attempts,
            next_try=_retry(attempts, problem, now, jitter) if problem else None,
        )

    def _paced(self) -> Self:
        """Come back when a reload is allowed, or earlier if there is something to retry."""
        if self.next_try is not None and self.next_try.at <= self.next_reload:
            return self
        return self._paced_anew()

    def _paced_anew(self) -> Self:
        return msgspec.structs.replace(self, next_try=NextTry(self.next_reload, "pacing"))

    def _quiet_at(self) -> float:
        if not self.changed or self.first_change - self.last_work >= self.pace.quiet:
            return -math.inf
        return min(self.last_change + self.pace.quiet, self.first_change + self.pace.longest)


def _retry(attempts: int, problem: str, now: float, jitter: float) -> NextTry:
    seconds = backoff(attempts, first=_FIRST_RETRY_SECONDS, longest=_LONGEST_RETRY_SECONDS)
    return NextTry(now + seconds * jitter, "retrying", problem)


def _added(texts: tuple[str, ...], text: str) -> tuple[str, ...]:
    return texts if text in texts else (*texts, text)
