"""One controller's event store: in memory, keyed by the millisecond of creation."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

KEPT_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Event:
    """What happened. `time` is the leader's clock in epoch milliseconds."""

    type: str
    id: str
    time: int
    metadata: Mapping[str, Any]


@dataclass(slots=True)
class EventStore:
    """Events by creation millisecond, several to a key, kept an hour.

    `clock` tells epoch milliseconds and may be skewed: each controller has its own.
    """

    clock: Callable[[], int]
    _events: list[Event] = field(default_factory=list)
    _newest: int | None = None
    _returned: int = 0
    _stale: int = 0

    def clear(self) -> None:
        """Forget everything, as a controller does when it gains or loses leadership."""
        self._events.clear()
        self._newest = None
        self._returned = 0
        self._stale = 0

    def record(self, event_type: str, metadata: Mapping[str, Any]) -> Event:
        """Store an event that is created now, and drop those that are over an hour old."""
        time = self.clock()
        if self._stale:
            self._stale -= 1
            time = min(time, self._returned)
        event = Event(event_type, str(uuid4()), time, metadata)
        self._events.append(event)
        self._newest = time if self._newest is None else max(self._newest, time)
        self._expire()
        return event

    def stale_next(self, count: int) -> None:
        """Stamp the next `count` events with a key that was already returned to a client.

        Real recording is asynchronous, so this happens; a client that filters by the returned
        key never sees such an event.
        """
        self._stale = count

    def after(self, cursor: int, size: int) -> list[Event]:
        """The events with a key above `cursor`, newest first, at most `size`."""
        newer = [event for event in reversed(self._events) if event.time > cursor]
        newer.sort(key=lambda event: -event.time)
        return newer[:size]

    def counts_after(self, cursor: int) -> dict[str, int]:
        """How many events of each type have a key above `cursor`."""
        return dict(Counter(event.type for event in self._events if event.time > cursor))

    def sync_time(self, cursor: int) -> int:
        """The `lastSyncTime` to answer: the newest key, even when lower than `cursor`."""
        if self._newest is None:
            return cursor
        self._returned = max(self._returned, self._newest)
        return self._newest

    def _expire(self) -> None:
        oldest = self.clock() - KEPT_MS
        if self._events[0].time < oldest:
            self._events = [event for event in self._events if event.time >= oldest]
            self._newest = max((event.time for event in self._events), default=None)
