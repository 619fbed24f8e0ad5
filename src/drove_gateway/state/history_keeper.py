"""Keeps the history of applies on disk, off the path that changes take to the proxy.

A file that cannot be written is reported and tried again; it never stops the gateway.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec

from drove_gateway.files.remedy import remedy
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import StateError
from drove_gateway.model.records import ApplyRecord, Happening
from drove_gateway.state import history_file
from drove_gateway.state.config_diff import config_diff
from drove_gateway.state.history_entries import (
    AppliedEntry,
    Entry,
    FileEntry,
    HappeningEntry,
    encoded,
)
from drove_gateway.state.journal import Journal
from drove_gateway.state.paced_writes import PacedWrites

_MOST_PENDING = 2000


class Texts(msgspec.Struct, frozen=True):
    """How configurations are compared: `plain` takes away what differs in every generation, `hide`
    the secrets in a line."""

    plain: Callable[[str], str]
    hide: Callable[[str], str]


class _Written(msgspec.Struct, frozen=True):
    """A configuration file that was replaced at a Unix time."""

    at: float
    before: str
    after: str


class HistoryKeeper:
    """Takes what happened into the journal, and writes it to `path`, if there is a path.

    `publish` gets why the file cannot be written; an empty text when it can.
    """

    def __init__(
        self,
        path: Path | None,
        journal: Journal,
        texts: Texts,
        *,
        publish: Callable[[str], None],
        log: EventLog,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._journal = journal
        self._texts = texts
        self._publish = publish
        self._log = log
        self._wall = wall
        self._pending: deque[Entry] = deque(maxlen=_MOST_PENDING)
        self._written: _Written | None = None
        self._writes = PacedWrites()
        # Until the first write, the file may have what the journal does not.
        self._rewrites = False

    async def load(self) -> None:
        """Read what earlier runs kept, unless the journal has entries already."""
        # With the configuration before, it may not have been possible to store it.
        self._publish("")
        if self._path is None:
            return
        if self._journal.lines():
            self._rewrites = True
            return
        try:
            lines = await asyncio.to_thread(history_file.read, self._path)
        except StateError as error:
            self._log.write(LogEvent.HISTORY_UNUSABLE, problem=f"{self._path}: {error}")
            return
        bad = await asyncio.to_thread(self._journal.load, lines)
        if bad:
            self._rewrites = True
            self._log.write(LogEvent.HISTORY_DAMAGED, path=str(self._path), count=bad)

    def note(self, record: ApplyRecord) -> None:
        """Add an attempt to change the proxy."""
        self._add(AppliedEntry(record))

    def happened(self, event: Happening) -> None:
        """Add an event."""
        self._add(HappeningEntry(event))

    def replaced(self, before: str, after: str) -> None:
        """The configuration file was replaced. Changes that come faster than they can be compared
        are compared as a whole."""
        waiting = self._written
        self._written = _Written(self._wall(), waiting.before if waiting else before, after)
        self._writes.note()

    def stop(self) -> None:
        """End `run`, after writing what was noted."""
        self._writes.stop()

    async def run(self) -> None:
        """Write what is noted, until `stop`."""
        await self._writes.run(self._write)

    def _add(self, entry: Entry) -> None:
        self._pending.append(entry)
        self._writes.note()

    async def _write(self) -> float:
        """Write what is pending; return the seconds to rest before the next write."""
        entries, written = [*self._pending], self._written
        self._pending.clear()
        self._written = None
        begin = time.monotonic()
        try:
            await asyncio.to_thread(self._keep, entries, written)
        except (OSError, ValueError) as error:
            self._failed(error)
            return self._writes.failed()
        self._worked()
        return self._writes.worked(begin)

    def _keep(self, entries: list[Entry], written: _Written | None) -> None:
        """Runs in a thread. Raises OSError; the journal then has what the file has not."""
        if written is not None and (diff := self._diff(written)):
            entries.append(FileEntry(written.at, diff))
        lines = [encoded(entry) for entry in entries]
        rewrites, self._rewrites = self._rewrites, True
        size = 0
        try:
            # What is shown has been stored: a kill takes nothing back.
            if self._path is not None and lines and not rewrites:
                size = history_file.append(self._path, lines)
        finally:
            for entry, line in zip(entries, lines, strict=True):
                self._journal.add(entry, line)
        if self._path is not None:
            needed = sum(map(len, self._journal.lines()))
            if rewrites or history_file.is_too_large(size, needed):
                history_file.rewrite(self._path, self._journal.lines())
        self._rewrites = False

    def _diff(self, written: _Written) -> str:
        plain, hide = self._texts.plain, self._texts.hide
        return config_diff(plain(written.before), plain(written.after), hide)

    def _failed(self, error: Exception) -> None:
        why, what_to_do = str(error), ""
        if isinstance(error, OSError) and self._path is not None:
            why, what_to_do = str(error.strerror), f"; {remedy(error, self._path.parent)}"
        problem = (
            f"cannot write {self._path}: {why}; traffic is unaffected, and the history of this run "
            f"is kept in memory{what_to_do}"
        )
        if not self._writes.failures:
            self._log.write(LogEvent.HISTORY_NOT_STORED, problem=problem)
        self._publish(problem)

    def _worked(self) -> None:
        if self._writes.failures:
            self._log.write(LogEvent.HISTORY_STORED_AGAIN, path=str(self._path))
            self._publish("")
