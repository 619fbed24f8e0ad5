"""The event store of a controller: in memory, keyed by the millisecond of creation."""

from bisect import bisect_left, bisect_right, insort
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

KEPT_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Event:
    """An event. `time` is the leader's clock in epoch milliseconds."""

    type: str
    id: str
    time: int
    metadata: Mapping[str, Any]


class EventStore:
    """Events sorted by creation millisecond, several to a key, kept an hour.

    `clock` returns epoch milliseconds and may be skewed: each controller has its own.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self._events: list[Event] = []
        self._returned = 0
        self._stale = 0

    def clear(self) -> None:
        """Forget everything, as a controller does when it gains or loses leadership."""
        self._events.clear()
        self._returned = 0
        self._stale = 0

    def record(self, event_type: str, metadata: Mapping[str, Any]) -> Event:
        """Store a new event, and drop those that are over an hour old."""
        now = self.clock()
        key = now
        if self._stale:
            self._stale -= 1
            key = min(now, self._returned)
        event = Event(event_type, str(uuid4()), key, metadata)
        insort(self._events, event, key=_key)
        del self._events[: bisect_left(self._events, now - KEPT_MS, key=_key)]
        return event

    def stale_next(self, count: int) -> None:
        """Stamp the next `count` events with a key that was already returned to a client.

        Real recording is asynchronous, so this happens; a client that filters by the returned
        key never sees such an event.
        """
        self._stale = count

    def after(self, cursor: int, size: int) -> list[Event]:
        """Return the events with a key above `cursor`, newest first, at most `size`."""
        return self._newer(cursor)[::-1][:size]

    def counts_after(self, cursor: int) -> dict[str, int]:
        """Return how many events of each type have a key above `cursor`."""
        return dict(Counter(event.type for event in self._newer(cursor)))

    def sync_time(self, cursor: int) -> int:
        """Return `lastSyncTime` for a response: the newest key, even when lower than `cursor`."""
        if not self._events:
            return cursor
        newest = self._events[-1].time
        self._returned = max(self._returned, newest)
        return newest

    def _newer(self, cursor: int) -> list[Event]:
        return self._events[bisect_right(self._events, cursor, key=_key) :]


def _key(event: Event) -> int:
    return event.time
