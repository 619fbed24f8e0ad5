"""When endpoints are to be fetched, so that no change is ever missed. Pure; times are monotonic.

What makes this delicate (Drove's controllers):
- An event that is recorded late, stamped at or before a key that was already returned, is never
  listed. So fetching is repeated for some seconds after a change, and the cursor moves only
  over changes whose endpoints were accepted, never over other events alone.
- `EXECUTOR_REMOVED` is published before the executor's instances are gone, and nothing follows.
- A new leader answers before it knows its instances, and its store of events starts empty.
- `/v1/endpoints` also changes without an event. So it is fetched from time to time regardless.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from drove_gateway.drove.wire import EventsSummary

SETTLING_SECONDS = 90.0

# Of these types none says anything about endpoints; a type that is not known here may.
_IRRELEVANT = frozenset(
    {
        "TASK_STATE_CHANGE",
        "LOCAL_SERVICE_STATE_CHANGE",
        "LOCAL_SERVICE_INSTANCE_STATE_CHANGE",
        "EXECUTOR_BLACKLIST_REQUESTED",
        "EXECUTOR_BLACKLISTED",
        "EXECUTOR_UN_BLACKLISTED",
        "LEADERSHIP_LOST",
    }
)

# Seconds after a change was noticed at which endpoints are fetched again. The takeover's go on
# past its end, so that the last answer is one of a leader that has settled.
_AFTER_CHANGE = (1, 3, 6)
_AFTER_EXECUTOR_LOSS = (1, 3, 6, 10, 20, 30, 40, 50, 60)
_AFTER_TAKEOVER = tuple(range(1, int(SETTLING_SECONDS) + 2))

_PAUSE_AFTER_REFUSAL = 1.0


class Cursor(msgspec.Struct, frozen=True):
    """Where the reading of one leader's events stands, and when its endpoints are due.

    `last_sync` is what is sent as `lastSyncTime`: 0, or what the leader gave, never our clock.
    `newest` is what it becomes once the endpoints are accepted. `counts` are the events since
    `last_sync` that were seen, by type. `due` are the times from which a fetch is owed, in order;
    `refresh_at` is that of the next one without any reason.
    """

    last_sync: int = 0
    newest: int = 0
    counts: Mapping[str, int] = {}
    due: tuple[float, ...] = ()
    refresh_at: float = math.inf
    settling_until: float = -math.inf

    def is_due(self, now: float) -> bool:
        """Whether endpoints are to be fetched at `now`."""
        return self.refresh_at <= now or bool(self.due and self.due[0] <= now)

    def is_settling(self, now: float) -> bool:
        """Whether an answer asked for at `now` may lack instances that the leader will learn."""
        return now < self.settling_until

    def fresh(self, summary: EventsSummary) -> Mapping[str, int]:
        """The events of `summary` that were not seen before, by type."""
        more = {kind: n - self.counts.get(kind, 0) for kind, n in summary.events_count.items()}
        return {kind: count for kind, count in more.items() if count > 0}

    def owing(self, now: float) -> Self:
        """A fetch is due at once, whatever the events say."""
        return self._plan(now, now)

    def looked(self, summary: EventsSummary, now: float) -> Self:
        """After the leader gave `summary`, asked for with `last_sync`."""
        relevant = _relevant(summary.events_count)
        backwards = summary.last_sync_time < self.last_sync
        newest = summary.last_sync_time if relevant or backwards else self.last_sync
        seen = msgspec.structs.replace(self, newest=newest, counts=summary.events_count)
        fresh = _relevant(self.fresh(summary))
        if not fresh and not (backwards and newest != self.newest):
            return seen
        if self.last_sync and "LEADERSHIP_ACQUIRED" in fresh:
            return seen.owing(now).taken_over(now)
        offsets = _AFTER_EXECUTOR_LOSS if "EXECUTOR_REMOVED" in fresh else _AFTER_CHANGE
        return seen.owing(now)._repeat(now, offsets)

    def taken_over(self, now: float) -> Self:
        """The leader is new: for a while its endpoints are fetched as often as possible."""
        settling = msgspec.structs.replace(self, settling_until=now + SETTLING_SECONDS)
        return settling._repeat(now, _AFTER_TAKEOVER)

    def accepted(self, started: float, refresh_at: float) -> Self:
        """The endpoints asked for at `started`, after `looked`, were fetched and accepted."""
        return msgspec.structs.replace(
            self,
            last_sync=self.newest,
            counts=self.counts if self.newest == self.last_sync else {},
            due=tuple(time for time in self.due if time > started),
            refresh_at=refresh_at,
        )

    def refused(self, started: float) -> Self:
        """The endpoints asked for at `started` were fetched, but not accepted: ask again."""
        later = tuple(time for time in self.due if time > started)
        waiting = msgspec.structs.replace(self, due=later, refresh_at=math.inf)
        return waiting._plan(started, started + _PAUSE_AFTER_REFUSAL)

    def _repeat(self, now: float, offsets: tuple[int, ...]) -> Self:
        # Whole seconds, so that a flood of changes cannot make the list long.
        return self._plan(now, *(float(math.ceil(now + offset)) for offset in offsets))

    def _plan(self, now: float, *times: float) -> Self:
        overdue = tuple(time for time in (*self.due, *times) if time <= now)[:1]
        later = {time for time in (*self.due, *times) if time > now}
        return msgspec.structs.replace(self, due=(*overdue, *sorted(later)))


def _relevant(types: Iterable[str]) -> frozenset[str]:
    return frozenset(types) - _IRRELEVANT
