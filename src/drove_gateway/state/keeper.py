"""Keeps the last applied state on disk, off the path that changes take to the proxy.

A file that cannot be written or read is reported in health and log, and tried again; it never stops
the gateway from doing its work.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from drove_gateway.files import atomic as atomic_file
from drove_gateway.files.remedy import remedy
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import StateError
from drove_gateway.model.records import StoredState
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.state import file
from drove_gateway.state.document import State, StoredNamespace, decode, encode
from drove_gateway.state.paced_writes import PacedWrites


class StateOwner(msgspec.Struct, frozen=True):
    """Whose state it is: the gateway's version, and what says which proxy it drives."""

    gateway: str
    proxy: str


class StateKeeper:
    """Reads the state once, then writes it whenever it changed; without a `path` it does neither.

    `controllers` are the configured URLs by namespace. `publish` gets how it went.
    """

    def __init__(
        self,
        path: Path | None,
        owner: StateOwner,
        controllers: Mapping[str, tuple[str, ...]],
        *,
        publish: Callable[[StoredState], None],
        log: EventLog,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._path = path
        self._owner = owner
        self._controllers = controllers
        self._publish = publish
        self._log = log
        self._wall = wall
        self._kept: tuple[StoredNamespace, ...] = ()
        self._pending: tuple[Snapshot, ...] | None = None
        self._writes = PacedWrites()
        self._view = StoredState(path=str(path or ""))

    async def load(self) -> Mapping[str, StoredNamespace]:
        """What was applied last, for each namespace that is still configured.

        A file that cannot be used is set aside and reported.
        """
        self._show()
        if self._path is None:
            return {}
        try:
            state = await asyncio.to_thread(_read, self._path, self._owner)
        except StateError as error:
            await self._set_aside(self._path, error)
            return {}
        self._kept = tuple(
            namespace
            for namespace in state.namespaces
            if namespace.snapshot.namespace in self._controllers
        )
        return {namespace.snapshot.namespace: namespace for namespace in self._kept}

    def note(self, snapshots: Mapping[str, Snapshot]) -> None:
        """These were accepted, and are applied now."""
        if self._path is not None:
            self._pending = tuple(snapshots.values())
            self._writes.note()

    def stop(self) -> None:
        """End `run`, after writing what was noted."""
        self._writes.stop()

    async def run(self) -> None:
        """Write what is noted, until `stop`."""
        await self._writes.run(self._write)

    async def _write(self) -> float:
        """Write what is pending; return the seconds to rest before the next write."""
        pending, self._pending = self._pending, None
        if pending is None or self._path is None:
            return 0.0
        begin = time.monotonic()
        now = self._wall()
        try:
            kept, written = await asyncio.to_thread(self._keep, self._path, pending, now)
        except (OSError, ValueError) as error:
            self._failed(self._path, error)
            if self._pending is None:
                self._pending = pending
            return self._writes.failed()
        self._kept = kept
        self._worked(now if written else self._view.written)
        return self._writes.worked(begin)

    def _keep(
        self, path: Path, snapshots: tuple[Snapshot, ...], now: float
    ) -> tuple[tuple[StoredNamespace, ...], bool]:
        """Runs in a thread: what is kept now, and whether the file had to be written."""
        before = {namespace.snapshot.namespace: namespace for namespace in self._kept}
        kept = tuple(
            _remembered(snapshot, self._controllers, before.get(snapshot.namespace), now)
            for snapshot in snapshots
        )
        changed = kept != self._kept
        if changed or self._writes.failures or not path.exists():
            file.write(path, encode(State(self._owner.proxy, kept), gateway=self._owner.gateway))
            return kept, True
        return kept, False

    async def _set_aside(self, path: Path, why: StateError) -> None:
        try:
            aside = await asyncio.to_thread(file.set_aside, path, self._wall())
            message = f"{path} could not be used: {why}; it was renamed to {aside.name}"
        except OSError as error:
            message = f"{path} could not be used: {why}; nor could it be renamed: {error.strerror}"
        self._log.write(LogEvent.STORED_STATE_UNUSABLE, problem=message)
        self._show(set_aside=message)

    def _failed(self, path: Path, error: Exception) -> None:
        why, what_to_do = str(error), "this is retried"
        if isinstance(error, OSError):
            why, what_to_do = str(error.strerror), remedy(error, path.parent)
        message = (
            f"cannot write {path}: {why}; traffic is unaffected, but a start without "
            f"controllers would know only what was stored before; {what_to_do}"
        )
        if message != self._view.problem:
            self._log.write(LogEvent.STATE_NOT_STORED, problem=message)
            self._show(problem=message)

    def _worked(self, written: float | None) -> None:
        if self._view.problem:
            self._log.write(LogEvent.STATE_STORED_AGAIN, path=str(self._path))
        self._show(problem="", written=written)

    def _show(self, **changes: str | float | None) -> None:
        self._view = msgspec.structs.replace(self._view, **changes)
        self._publish(self._view)


def _read(path: Path, owner: StateOwner) -> State:
    atomic_file.discard_leftovers(path)
    return read_state(path, owner)


def read_state(path: Path, owner: StateOwner) -> State:
    """The state in the file, without touching it; no namespaces where there is none.

    Raises StateError when it cannot be read, or is another gateway's.
    """
    data = file.read(path)
    if data is None:
        return State(owner.proxy, ())
    state = decode(data)
    if state.proxy != owner.proxy:
        raise StateError(
            f"it is the state of another gateway, which drives {state.proxy}; "
            "give each gateway its own state_persistence_dir"
        )
    return state


def _remembered(
    snapshot: Snapshot,
    controllers: Mapping[str, tuple[str, ...]],
    before: StoredNamespace | None,
    now: float,
) -> StoredNamespace:
    urls = controllers.get(snapshot.namespace, ())
    if snapshot.settling:
        snapshot = msgspec.structs.replace(snapshot, settling_until=0.0)
    if before is not None and before.snapshot == snapshot:
        return StoredNamespace(snapshot, urls, before.changed)
    return StoredNamespace(snapshot, urls, now)
