"""Deletes removed servers once they are unused.

All draining servers are followed together: one look at their requests, one batch that deletes
those that are free. Changes continue meanwhile; a server that is wanted again is taken off the
list.
"""

import asyncio
from collections.abc import Callable, Collection

import msgspec

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.ledger import Entry, Stage
from drove_gateway.proxies.runtime.planner import deletions
from drove_gateway.proxies.runtime.problem_log import ProblemLog
from drove_gateway.proxies.runtime.servers import Change, ObservedBackends, Result

# A request that was just given to a server shows among its requests within this time.
_FIRST_LOOK_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25
# Of the time, a tenth at most goes into reading replies that may be megabytes long.
_PAUSE_PER_READ = 10
_QUICKLY_READ_SECONDS = 0.1
# Between two batches an apply can have its turn.
_MOST_AT_ONCE = 500


class DrainPass(msgspec.Struct, frozen=True):
    """What one pass came to: servers deleted, cut off at their deadline, and still waiting.
    `renumbered` backends have other servers than a moment ago."""

    deleted: int = 0
    cut: int = 0
    waiting: int = 0
    renumbered: frozenset[str] = frozenset()


class Drains:
    """Follows the servers that `engine` drains, until they are deleted."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float], log: EventLog) -> None:
        self._engine = engine
        self._clock = clock
        self._log = log
        self._failing = ProblemLog(LogEvent.SERVERS_NOT_DELETED, log)
        self._read_seconds = 0.0

    async def run(self, wake: Callable[[str], None]) -> None:
        """Delete what gets free, until cancelled."""
        events = self._engine.removals
        while True:
            await events.wait()
            events.clear()
            pause = _FIRST_LOOK_SECONDS
            while self._under_way():
                await self._pause(pause)
                passed = await self._step_or_log(wake)
                pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
                if passed.deleted or events.is_set():
                    events.clear()
                    pause = _FIRST_LOOK_SECONDS
                elif self._read_seconds > _QUICKLY_READ_SECONDS:
                    pause = max(pause, self._read_seconds * _PAUSE_PER_READ)

    async def step(self) -> DrainPass:
        """One pass. Raises RuntimeApiError; then the next pass finds what is left."""
        listed = [*self._engine.ledger.at(Stage.DRAINING, Stage.LEAVING)]
        begin = self._clock()
        usage = await self._engine.adapter.usage({backend for backend, _, _ in listed})
        self._read_seconds = self._clock() - begin
        deleted = cut = 0
        renumbered: set[str] = set()
        for first in range(0, len(listed), _MOST_AT_ONCE):
            async with self._engine.lock:
                due = self._due(listed[first : first + _MOST_AT_ONCE], usage)
                cut += sum(1 for change in due if change.busy and self._is_draining(change))
                for change, result in await self._delete(due):
                    deleted += result.state == "done"
                    if result.state == "outdated":
                        renumbered.add(change.backend)
        if renumbered:
            self._engine.doubt("its servers have other ids than a moment ago", renumbered)
        waiting = self._engine.ledger.count(Stage.DRAINING, Stage.LEAVING)
        return DrainPass(deleted, cut, waiting, frozenset(renumbered))

    async def _step_or_log(self, wake: Callable[[str], None]) -> DrainPass:
        try:
            passed = await self.step()
        except RuntimeApiError as error:
            self._failing.met(str(error))
            return DrainPass()
        self._failing.over()
        if passed.deleted or passed.cut:
            self._log.write(
                LogEvent.SERVERS_DELETED,
                deleted=passed.deleted,
                cut_at_deadline=passed.cut,
                waiting=passed.waiting,
            )
        if passed.renumbered:
            wake(f"the servers of {len(passed.renumbered)} backends have other ids")
        return passed

    def _due(
        self, listed: Collection[tuple[str, str, Entry]], usage: ObservedBackends
    ) -> list[Change]:
        """The deletions of servers that are free or out of time. While the lock was waited for,
        some may have been made ready, or be gone."""
        ledger, now = self._engine.ledger, self._clock()
        followed: dict[str, dict[str, Entry]] = {}
        for backend, name, entry in listed:
            if ledger.of(backend).get(name) is entry:
                followed.setdefault(backend, {})[name] = entry
        found: list[Change] = []
        for backend, entries in followed.items():
            if backend in usage.problems:
                self._log.write(
                    LogEvent.SERVERS_NOT_DELETED,
                    backend=backend,
                    error=usage.problems[backend],
                )
                continue
            servers = usage.backends.get(backend)
            if servers is None:
                ledger.backend_left(backend)
                continue
            for name in entries.keys() - {server.name for server in servers}:
                ledger.strike(backend, name)
            found += deletions(backend, servers, entries, now)
        return found

    async def _delete(self, due: list[Change]) -> Collection[tuple[Change, Result]]:
        if not due:
            return ()
        ledger = self._engine.ledger
        for change in due:
            entry = ledger.of(change.backend)[change.name]
            if entry.stage is Stage.DRAINING:
                ledger.note(change.backend, change.name, Entry(Stage.LEAVING, entry.deadline))
        pairs = await self._engine.carry_out(due)
        held: dict[str, set[str]] = {}
        for change, result in pairs:
            if result.state != "done":
                held.setdefault(change.backend, set()).add(change.name)
                self._note_failure(change, result)
        self._engine.hold(held)
        return pairs

    def _note_failure(self, change: Change, result: Result) -> None:
        server = f"{change.backend}/{change.name}"
        if result.state == "pinned":
            self._engine.ledger.note(change.backend, change.name, Entry(Stage.PINNED))
            self._log.write(
                LogEvent.SERVER_STAYS_IN_MAINTENANCE,
                server=server,
                error=result.problem,
            )
        elif result.state == "refused":
            self._log.write(LogEvent.SERVER_NOT_DELETED, server=server, error=result.problem)

    def _is_draining(self, change: Change) -> bool:
        entry = self._engine.ledger.of(change.backend).get(change.name)
        return entry is not None and entry.stage is Stage.DRAINING

    def _under_way(self) -> bool:
        return self._engine.ledger.count(Stage.DRAINING, Stage.LEAVING) > 0

    async def _pause(self, seconds: float) -> None:
        """Sleep; where the proxy can say when a server is free, let it."""
        leaving = next(self._engine.ledger.at(Stage.LEAVING), None)
        if leaving is None:
            await asyncio.sleep(seconds)
        else:
            await self._engine.adapter.wait_removable(leaving[0], leaving[1], seconds)
