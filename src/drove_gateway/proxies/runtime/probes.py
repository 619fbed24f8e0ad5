"""Lets new servers into traffic after their first health check.

The first result is enough, whatever it is: the proxy itself keeps a server whose checks fail out
of traffic, and takes it in once they pass.
"""

import asyncio
from collections.abc import Callable

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.ledger import Entry, Stage
from drove_gateway.proxies.runtime.problem_log import ProblemLog
from drove_gateway.proxies.runtime.servers import Action, Change

_PAUSE_SECONDS = 0.03


class Probes:
    """Follows the servers that wait for their first health check."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float], log: EventLog) -> None:
        self._engine = engine
        self._clock = clock
        self._log = log
        self._unread = ProblemLog(LogEvent.HEALTH_CHECKS_UNKNOWN, log)

    async def run(self, wake: Callable[[str], None]) -> None:
        """Make ready what was checked, until cancelled; removals may have waited for it.

        What is not checked at the end gets traffic unchecked: no other program would let it in.
        """
        try:
            while True:
                await self._engine.probes.wait()
                self._engine.probes.clear()
                while self._under_way():
                    await asyncio.sleep(_PAUSE_SECONDS)
                    await self._look(wake)
        finally:
            await self._let_in()

    async def step(self) -> int:
        """One look at the waiting servers; return how many were let into traffic.

        Raises RuntimeApiError; then the next look finds them again.
        """
        engine = self._engine
        async with engine.lock:
            waiting = [*engine.ledger.at(Stage.PROBING)]
            await engine.read(list(dict.fromkeys(backend for backend, _, _ in waiting)))
            checked = [at for at in waiting if self._is_decided(*at)]
            if not checked:
                return 0
            ready = [Change(Action.READY, backend, name) for backend, name, _ in checked]
            await engine.carry_out(ready)
            for backend, name, _ in checked:
                engine.ledger.strike(backend, name)
            self._look_again({backend for backend, _, _ in checked})
            return len(checked)

    async def _look(self, wake: Callable[[str], None]) -> None:
        try:
            ready = await self.step()
        except RuntimeApiError as error:
            self._unread.met(str(error))
        else:
            self._unread.over()
            if ready:
                wake(f"{ready} new servers had their first health check")

    async def _let_in(self) -> None:
        waiting = self._engine.ledger.at(Stage.ADDING, Stage.PROBING)
        ready = [Change(Action.READY, backend, name) for backend, name, _ in waiting]
        if not ready:
            return
        try:
            await self._engine.adapter.carry_out(ready)
        except RuntimeApiError as error:
            self._log.write(LogEvent.NEW_SERVERS_NOT_ADMITTED, error=str(error))

    def _is_decided(self, backend: str, name: str, entry: Entry) -> bool:
        server = self._engine.server(backend, name)
        if server is None:
            self._engine.ledger.strike(backend, name)
            self._look_again({backend})
            return False
        return server.held != "drain" or server.checked or entry.deadline <= self._clock()

    def _look_again(self, backends: set[str]) -> None:
        self._engine.desired.look_again_at(backends, "new servers were checked")

    def _under_way(self) -> bool:
        return self._engine.ledger.count(Stage.PROBING) > 0
