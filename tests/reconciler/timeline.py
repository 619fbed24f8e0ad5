"""A schedule whose work is played on a timeline of seconds."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias, TypeVar

import msgspec

from drove_gateway.model.workers import Workers
from drove_gateway.reconciler.schedule import (
    Action,
    ApplyPace,
    Attempt,
    Result,
    Schedule,
)

T = TypeVar("T")

PACE = ApplyPace(quiet=0.05, longest=0.5, between_reloads=1.0)

Event: TypeAlias = tuple[float, Callable[[Schedule, float], Schedule]]


def change(at: float) -> Event:
    return at, lambda schedule, now: schedule.desired(f"change at {at:g}", now)


def wake(at: float) -> Event:
    return at, lambda schedule, now: schedule.woken(f"audit at {at:g}", now)


def demand(at: float) -> Event:
    return at, lambda schedule, now: schedule.demanded("the template changed", now)


def hold(at: float, seconds: float) -> Event:
    return at, lambda schedule, now: schedule.held_back(seconds, now)


def old_workers(at: float, count: int) -> Event:
    return at, lambda schedule, _: schedule.observed(Workers(current=1, old=count))


def release(at: float) -> Event:
    return at, lambda schedule, _: schedule.released()


class Work(msgspec.Struct):
    """How each attempt goes: the seconds that it takes, whether its plan has a reload, or only
    that, and what fails. The last entry of a list counts for all further attempts."""

    takes: float = 0.0
    reload: Sequence[bool] = (False,)
    servers: bool = True
    errors: Sequence[str] = ("",)
    failed_vhosts: Sequence[str] = ("",)
    jitter: float = 1.0


class Timeline:
    """What a schedule decides while `events` happen, from 0 to `until`."""

    def __init__(
        self,
        events: Sequence[Event],
        work: Work | None = None,
        *,
        pace: ApplyPace = PACE,
        until: float = 1000.0,
    ) -> None:
        self.work = work or Work()
        self.schedule = Schedule(pace)
        self.begun: list[float] = []
        self.reloads: list[float] = []
        self.attempts: list[Attempt] = []
        self.waits: list[tuple[float, Action]] = []
        self._events = sorted(events, key=lambda event: event[0])
        self._until = until
        for _ in self._steps():
            pass

    def _steps(self) -> Iterator[None]:
        now = 0.0
        while now <= self._until:
            self._happen(now)
            decision = self.schedule.decide(now)
            match decision.action:
                case Action.BEGIN:
                    now = self._attempt(now)
                case Action.END_HOLD:
                    self.waits.append((now, decision.action))
                    self.schedule = self.schedule.released()
                case _:
                    assert decision.until > now, "a wait has a length"
                    if decision.action is not Action.WAIT:
                        self.waits.append((round(now, 6), decision.action))
                    now = min(decision.until, self._events[0][0] if self._events else math.inf)
            yield

    def _happen(self, now: float) -> None:
        while self._events and self._events[0][0] <= now:
            at, event = self._events.pop(0)
            self.schedule = event(self.schedule, at)

    def _attempt(self, now: float) -> float:
        number, work = len(self.begun), self.work
        reload = _entry(work.reload, number) or bool(self.schedule.demands)
        self.schedule, attempt = self.schedule.begun(now, reload=reload)
        reload = reload and not attempt.reload_waits
        result = Result(worked=False)
        if reload or work.servers:
            self.begun.append(round(now, 6))
            self.attempts.append(attempt)
            if reload:
                self.reloads.append(round(now, 6))
            error, failed = _entry(work.errors, number), _entry(work.failed_vhosts, number)
            result = Result(reload=reload, error=error, failed_vhosts=failed)
            now += work.takes
            self._happen(now)
        self.schedule = self.schedule.ended(attempt, result, now, jitter=work.jitter)
        return now


def _entry(entries: Sequence[T], number: int) -> T:
    return entries[min(number, len(entries) - 1)]


FAILING = Work(errors=["no"])

RELOADING = Work(reload=[True], servers=False)
