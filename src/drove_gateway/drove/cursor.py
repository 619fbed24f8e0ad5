"""When endpoints are to be fetched, so that no change is ever missed. Pure; times are monotonic.

What makes this delicate (Drove's controllers):
- Events are recorded some time after they were stamped, and one that is stamped at or before the
  time that is asked with is never listed. So the cursor moves only over changes whose endpoints
  were accepted, and only when the same request, repeated some seconds later, could list all events
  that were late. Events seen before are distinguished from new events by counting.
- An event may be listed before `/v1/endpoints` shows what it says. So fetching is repeated for
  some seconds after a change.
- `EXECUTOR_REMOVED` is published before the executor's instances are gone, and nothing follows.
- A new leader responds before it knows its instances, and its store of events starts empty.
- `/v1/endpoints` also changes without an event. So it is fetched from time to time regardless.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

from drove_gateway.drove.wire import EventsSummary
from drove_gateway.model.drove_facts import SETTLING_SECONDS

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

# Seconds after a change was noticed at which endpoints are fetched again. Those after a take-over
# continue past its end, so that the last response is that of a leader that has settled.
_AFTER_CHANGE = (1, 3, 6)
_AFTER_EXECUTOR_LOSS = (1, 3, 6, 10, 20, 30, 40, 50, 60)
_AFTER_FIRST_SIGHT = (1, 3, 6, 10, 20, 30, 40, 50, 60, 70, 80, 91)
_AFTER_TAKEOVER = tuple(range(1, int(SETTLING_SECONDS) + 2))

# How late an event may be recorded and still be seen at once.
_LATE_SECONDS = 3.0

_PAUSE_AFTER_REFUSAL = 1.0


class Proof(msgspec.Struct, frozen=True):
    """The endpoints of all events up to `sync` were accepted; requested at `at`, after `counts`."""

    sync: int
    at: float
    counts: Mapping[str, int]


class Cursor(msgspec.Struct, frozen=True):
    """How far a leader's events were read, and when its endpoints are due.

    `last_sync` is what is sent as `lastSyncTime`: 0, or what the leader gave, never our clock.
    `seen` is the last summary, none before the first. `proof` is where the cursor moves next, and
    `moved` that it just did. `due` are the times from which a fetch is owed, in order;
    `refresh_at` is that of the next one without any reason.
    """

    last_sync: int = 0
    seen: EventsSummary | None = None
    proof: Proof | None = None
    moved: bool = False
    due: tuple[float, ...] = ()
    refresh_at: float = math.inf
    settling_until: float = -math.inf

    def is_due(self, now: float) -> bool:
        """Whether endpoints are to be fetched at `now`."""
        return self.refresh_at <= now or bool(self.due and self.due[0] <= now)

    def is_settling(self, now: float) -> bool:
        """Return whether a response at `now` may miss instances that the leader will learn of."""
        return now < self.settling_until

    def fresh(self, summary: EventsSummary) -> Mapping[str, int]:
        """The events of `summary` that were not seen before, by type."""
        return _less(summary.events_count, self.seen.events_count if self.seen else {})

    def owing(self, now: float) -> Self:
        """A fetch is due at once, whatever the events say."""
        return self._plan(now, now)

    def looked(self, summary: EventsSummary, now: float) -> Self:
        """The leader responded with `summary`, requested with `last_sync`."""
        looked = msgspec.structs.replace(self, seen=summary, moved=False)
        if self._tells_a_change(summary):
            fresh = self.fresh(summary)
            looked = looked.owing(now)._repeat(now, _repeats(fresh))
            if self.seen and "LEADERSHIP_ACQUIRED" in fresh:
                looked = looked.taken_over(now)
        if self.proof and now >= self.proof.at + _LATE_SECONDS:
            return looked._move(self.proof)
        return looked

    def found(self, now: float) -> Self:
        """The leader led before we looked: most likely for long, yet it may be new as well."""
        return self.owing(now)._repeat(now, _AFTER_FIRST_SIGHT)

    def taken_over(self, now: float) -> Self:
        """The leader is new: for a while its endpoints are fetched as often as possible."""
        settling = msgspec.structs.replace(self, settling_until=now + SETTLING_SECONDS)
        return settling.owing(now)._repeat(now, _AFTER_TAKEOVER)

    def accepted(self, started: float, refresh_at: float) -> Self:
        """The endpoints requested at `started`, after `looked`, were fetched and accepted."""
        due = tuple(time for time in self.due if time > started)
        fetched = msgspec.structs.replace(self, due=due, refresh_at=refresh_at)
        if self.seen is None or self.moved:
            return fetched
        proof = Proof(self.seen.last_sync_time, started, self.seen.events_count)
        if proof.sync < self.last_sync:
            return fetched._move(proof)
        if self.proof is None and _relevant(self.seen.events_count):
            return msgspec.structs.replace(fetched, proof=proof)
        return fetched

    def refused(self, started: float) -> Self:
        """The endpoints requested at `started` were fetched, but not accepted: fetch again."""
        later = tuple(time for time in self.due if time > started)
        waiting = msgspec.structs.replace(self, due=later, refresh_at=math.inf)
        return waiting._plan(started, started + _PAUSE_AFTER_REFUSAL)

    def _tells_a_change(self, summary: EventsSummary) -> bool:
        fresh = self.fresh(summary)
        if _relevant(fresh):
            return True
        if not _relevant(summary.events_count) and summary.last_sync_time >= self.last_sync:
            return False
        known = self.seen.last_sync_time if self.seen else None
        return self.moved or (not fresh and summary.last_sync_time != known)

    def _move(self, proof: Proof) -> Self:
        # What is left in `seen` may count late events that the new time does not list, and so
        # hide as many new ones: `moved` makes the next summary a change if it has any.
        counts = _less(self.seen.events_count, proof.counts) if self.seen else {}
        seen = EventsSummary(proof.sync, counts)
        return msgspec.structs.replace(
            self, last_sync=proof.sync, seen=seen, proof=None, moved=True
        )

    def _repeat(self, now: float, offsets: tuple[int, ...]) -> Self:
        # Whole seconds, so that a flood of changes cannot make the list long.
        return self._plan(now, *(float(math.ceil(now + offset)) for offset in offsets))

    def _plan(self, now: float, *times: float) -> Self:
        overdue = tuple(time for time in (*self.due, *times) if time <= now)[:1]
        later = {time for time in (*self.due, *times) if time > now}
        return msgspec.structs.replace(self, due=(*overdue, *sorted(later)))


def _less(counts: Mapping[str, int], known: Mapping[str, int]) -> Mapping[str, int]:
    more = {kind: count - known.get(kind, 0) for kind, count in counts.items()}
    return {kind: count for kind, count in more.items() if count > 0}


def _repeats(fresh: Iterable[str]) -> tuple[int, ...]:
    return _AFTER_EXECUTOR_LOSS if "EXECUTOR_REMOVED" in fresh else _AFTER_CHANGE


def _relevant(types: Iterable[str]) -> frozenset[str]:
    return frozenset(types) - _IRRELEVANT
