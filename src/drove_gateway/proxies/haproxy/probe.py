"""Lets new servers into traffic after their first health check.

The first result is enough, whatever it is: HAProxy itself keeps a server whose checks fail out of
traffic, and takes it in once they pass.
"""

import asyncio
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.api.server_state import DRAIN, FIRST_CHECK_DECIDED
from drove_gateway.proxies.haproxy.ledger import Entry, Stage
from drove_gateway.proxies.haproxy.servers import Servers

_PAUSE_SECONDS = 0.03


class Probes:
    """Follows the servers that wait for their first health check."""

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

    async def run(self, wake: Callable[[str], None]) -> None:
        """Make ready what was checked, until cancelled; removals may have waited for it.

        What is not checked at the end gets traffic unchecked: nobody else would let it in.
        """
        try:
            while True:
                await self._servers.probes.wait()
                self._servers.probes.clear()
                while self._under_way():
                    await asyncio.sleep(_PAUSE_SECONDS)
                    await self._look(wake)
        finally:
            await self._let_in()

    async def step(self) -> int:
        """One look at the waiting servers; gives how many were let into traffic.

        Raises RuntimeApiError; then the next look finds them again.
        """
        servers = self._servers
        async with servers.lock:
            if servers.seen is None:
                return 0
            waiting = [*servers.ledger.at(Stage.PROBING)]
            backends = list(dict.fromkeys(backend for backend, _, _ in waiting))
            servers.take(backends, await self._api.run(servers.reading(backends)))
            decided = [
                (backend, name)
                for backend, name, entry in waiting
                if self._decided(backend, name, entry)
            ]
            ready = [commands.set_state(backend, name, "ready") for backend, name in decided]
            if not decided:
                return 0
            replies = await self._api.run([*ready, *servers.reading(backends)])
            servers.take(backends, replies[len(ready) :])
            for backend, name in decided:
                servers.ledger.strike(backend, name)
                servers.targets.look_again_at({backend})
            return len(decided)

    async def _look(self, wake: Callable[[str], None]) -> None:
        try:
            ready = await self.step()
        except RuntimeApiError as error:
            self._log.warning("cannot look at health checks yet", error=str(error))
        else:
            if ready:
                wake(f"{ready} new servers had their first health check")

    async def _let_in(self) -> None:
        waiting = self._servers.ledger.at(Stage.ADDING, Stage.PROBING)
        ready = [commands.set_state(backend, name, "ready") for backend, name, _ in waiting]
        try:
            await self._api.run(ready)
        except RuntimeApiError as error:
            self._log.warning("new servers may have been left out of traffic", error=str(error))

    def _decided(self, backend: str, name: str, entry: Entry) -> bool:
        state = (self._servers.seen or {}).get(backend, {}).get(name)
        if state is None:
            self._servers.ledger.strike(backend, name)
            self._servers.targets.look_again_at({backend})
            return False
        if not state.admin & DRAIN:
            return True
        return state.check_result >= FIRST_CHECK_DECIDED or entry.deadline <= self._clock()

    def _under_way(self) -> bool:
        return any(True for _ in self._servers.ledger.at(Stage.PROBING))
