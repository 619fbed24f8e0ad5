"""The history in memory: the last thousand applies, changes of the file, and events.

Entries are kept as the bytes of their lines, which are small and bounded. A lock lets a thread
write what the event loop adds.
"""

from collections import deque
from collections.abc import Iterable
from threading import Lock

from drove_gateway.model.records import ApplyRecord, Happening
from drove_gateway.state.history_entries import (
    AppliedEntry,
    Entry,
    FileEntry,
    HappeningEntry,
    decoded,
)
from drove_gateway.state.past import PastApply, past_applies

MOST_APPLIES = 1000
MOST_FILES = 1000
MOST_EVENTS = 1000


class Journal:
    """The entries of the history, oldest first, with a bound for each kind."""

    def __init__(self) -> None:
        self._applies: deque[tuple[int, bytes]] = deque(maxlen=MOST_APPLIES)
        self._files: deque[tuple[int, bytes]] = deque(maxlen=MOST_FILES)
        self._events: deque[tuple[int, bytes]] = deque(maxlen=MOST_EVENTS)
        self._count = 0
        self._lock = Lock()

    def add(self, entry: Entry, line: bytes) -> None:
        """Add the newest entry, and the line that it is encoded as."""
        kept = {AppliedEntry: self._applies, FileEntry: self._files, HappeningEntry: self._events}
        with self._lock:
            self._count += 1
            kept[type(entry)].append((self._count, line))

    def load(self, lines: Iterable[bytes]) -> int:
        """Add the lines of a file; return how many could not be used."""
        bad = 0
        for line in lines:
            entry = decoded(line)
            if entry is None:
                bad += 1
            else:
                self.add(entry, line)
        return bad

    def lines(self) -> tuple[bytes, ...]:
        """Return every line, oldest first."""
        with self._lock:
            numbered = sorted((*self._applies, *self._files, *self._events))
        return tuple(line for _, line in numbered)

    def applies(self) -> tuple[PastApply, ...]:
        """Return the applies, newest first, each with the change of the file that followed."""
        entries = [entry for line in self.lines() if (entry := decoded(line)) is not None]
        return past_applies(entries)

    def records(self) -> tuple[ApplyRecord, ...]:
        """Return the applies alone, newest first."""
        with self._lock:
            lines = [line for _, line in self._applies]
        entries = map(decoded, reversed(lines))
        return tuple(each.apply for each in entries if isinstance(each, AppliedEntry))

    def events(self, most: int) -> tuple[Happening, ...]:
        """Return the newest events, newest first."""
        with self._lock:
            lines = [line for _, line in self._events][-most:]
        entries = [decoded(line) for line in reversed(lines)]
        return tuple(each.event for each in entries if isinstance(each, HappeningEntry))
