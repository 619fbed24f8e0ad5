"""Deletes removed servers once nobody uses them.

All draining servers are followed together: one look at the connections, one batch that deletes
those that are free. Applies go on meanwhile; a server that is wanted again is taken off the list.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping

import msgspec
from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import Reply, RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import Verdict
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.haproxy.ledger import Entry, Stage
from drove_gateway.proxies.haproxy.servers import Servers

# A request that was just given to a server shows among its connections within this time.
_FIRST_LOOK_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.25
_MANY_BACKENDS = 64
# Between two batches an apply can have its turn.
_MOST_AT_ONCE = 500


class Passed(msgspec.Struct, frozen=True):
    """What one pass came to: servers deleted, cut off at their deadline, and still waiting."""

    deleted: int = 0
    cut: int = 0
    waiting: int = 0


class _Due(msgspec.Struct, frozen=True):
    """A server that is to be deleted now; `busy` when its time is over but not its requests."""

    backend: str
    name: str
    entry: Entry
    busy: bool


class Drains:
    """Follows the servers that `servers` drains, until they are deleted."""

    def __init__(
        self,
        servers: Servers,
        api: RuntimeApi,
        *,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._servers = servers
        self._api = api
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Delete what gets free, until cancelled."""
        while True:
            await self._servers.removals.wait()
            self._servers.removals.clear()
            pause = _FIRST_LOOK_SECONDS
            while self._under_way():
                await self._pause(pause)
                try:
                    passed = await self.step()
                except RuntimeApiError as error:
                    self._log.warning("cannot delete removed servers yet", error=str(error))
                    passed = Passed()
                if passed.deleted or passed.cut:
                    self._log.info(
                        "removed servers deleted",
                        deleted=passed.deleted,
                        cut_at_deadline=passed.cut,
                        waiting=passed.waiting,
                    )
                pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
                if passed.deleted or self._servers.removals.is_set():
                    self._servers.removals.clear()
                    pause = _FIRST_LOOK_SECONDS

    async def step(self) -> Passed:
        """One pass. Raises RuntimeApiError; then the next pass finds what is left."""
        listed = [*self._servers.ledger.at(Stage.DRAINING, Stage.LEAVING)]
        used = await self._used({backend for backend, _, _ in listed})
        deleted = cut = 0
        for first in range(0, len(listed), _MOST_AT_ONCE):
            async with self._servers.lock:
                due = self._due(listed[first : first + _MOST_AT_ONCE], used)
                cut += sum(1 for one in due if one.busy and one.entry.stage is Stage.DRAINING)
                deleted += await self._delete(due)
        return Passed(deleted, cut, len(listed) - deleted)

    def _due(
        self, listed: list[tuple[str, str, Entry]], used: Mapping[tuple[str, str], int]
    ) -> list[_Due]:
        """Those that are free or out of time. While the lock was waited for, some may have been
        made ready, or be gone."""
        ledger, now = self._servers.ledger, self._clock()
        found = [
            _Due(backend, name, entry, used.get((backend, name), 0) > 0)
            for backend, name, entry in listed
            if ledger.of(backend).get(name) is entry
        ]
        return [one for one in found if not one.busy or one.entry.deadline <= now]

    def _under_way(self) -> bool:
        return any(True for _ in self._servers.ledger.at(Stage.DRAINING, Stage.LEAVING))

    async def _pause(self, seconds: float) -> None:
        """Sleep; where HAProxy can say when a server is free, let it."""
        leaving = next(self._servers.ledger.at(Stage.LEAVING), None)
        if leaving is None or not self._servers.can_wait:
            await asyncio.sleep(seconds)
            return
        backend, name, _ = leaving
        try:
            await self._api.run([commands.wait_removable(backend, name, int(seconds * 1000))])
        except RuntimeApiError:
            await asyncio.sleep(seconds)

    async def _used(self, backends: Collection[str]) -> dict[tuple[str, str], int]:
        if len(backends) > _MANY_BACKENDS:
            return state.connections(await self._api.ask(commands.SHOW_ALL_CONNECTIONS))
        used: dict[tuple[str, str], int] = {}
        for reply in await self._api.run([commands.show_connections(name) for name in backends]):
            if reply.verdict is Verdict.DONE:
                used |= state.connections(reply.text)
            elif reply.verdict is not Verdict.NO_BACKEND:
                raise reply.problem()
        return used

    async def _delete(self, due: list[_Due]) -> int:
        batch: list[Command] = []
        for one in due:
            backend, name, entry = one.backend, one.name, one.entry
            if entry.stage is Stage.DRAINING:
                batch.append(commands.set_state(backend, name, "maint"))
                leaving = Entry(Stage.LEAVING, entry.deadline)
                self._servers.ledger.note(backend, name, leaving)
            if one.busy:
                batch.append(commands.shutdown_sessions(backend, name))
            batch.append(commands.delete_server(backend, name))
        replies = await self._api.run(batch)
        judged = (reply for reply in replies if reply.command.operation == "del_server")
        return sum(self._judge(one, reply) for one, reply in zip(due, judged, strict=True))

    def _judge(self, one: _Due, reply: Reply) -> bool:
        """Note what became of a server; True when it is gone."""
        servers, backend, name = self._servers, one.backend, one.name
        match reply.verdict:
            case Verdict.DONE | Verdict.NO_SERVER | Verdict.NO_BACKEND:
                servers.ledger.strike(backend, name)
                (servers.seen or {}).get(backend, {}).pop(name, None)
                return True
            case Verdict.BUSY:
                return False
            case Verdict.NOT_IN_MAINTENANCE:
                # Somebody made it ready meanwhile; the next pass puts it in maintenance again.
                servers.ledger.note(backend, name, Entry(Stage.DRAINING, one.entry.deadline))
            case _:
                servers.ledger.note(backend, name, Entry(Stage.PINNED))
                self._log.warning(
                    "a removed server cannot be deleted, it stays in maintenance until the next "
                    "reload",
                    server=f"{backend}/{name}",
                    reply=reply.text,
                )
        return False
