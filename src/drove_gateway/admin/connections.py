"""A limit on the API's connections, so that idle clients cost neither the API nor the gateway.

The gateway needs descriptors for controllers, commands and the proxy's socket. When the limit is
reached, the oldest TLS handshake makes room for the new connection, or else the connection that
has been without a request for longest.
"""

import asyncio
import resource
from collections.abc import Callable

from aiohttp import web

from drove_gateway.admin.handshakes import Handshakes
from drove_gateway.admin.responses import Handler
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog

_MOST = 256
_SHARE_OF_DESCRIPTORS = 4
_SECONDS_BETWEEN_WARNINGS = 60.0


def most_connections() -> int:
    """Return how many connections the API may have: a quarter of the process's descriptors."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = soft == resource.RLIM_INFINITY
    return _MOST if unlimited else max(1, min(_MOST, soft // _SHARE_OF_DESCRIPTORS))


class ConnectionLimit:
    """Makes the protocols of at most `most` connections of a server, with their `handshakes`."""

    def __init__(
        self,
        most: int,
        clock: Callable[[], float],
        log: EventLog,
        handshakes: Handshakes | None = None,
    ) -> None:
        self._handshakes = handshakes
        self.most = most
        self._clock = clock
        self._log = log
        self._busy: set[asyncio.BaseProtocol] = set()
        self._warned: float | None = None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Note that the connection of `request` has work until the response is ready."""
        self._busy.add(request.protocol)
        try:
            return await handler(request)
        finally:
            self._busy.discard(request.protocol)

    def protocols(self, server: web.Server) -> Callable[[], asyncio.BaseProtocol]:
        """Return the factory that a listening socket calls for each new connection."""

        def make() -> asyncio.BaseProtocol:
            if not self._has_room(server):
                return _Refusal()
            return server() if self._handshakes is None else self._handshakes.begin(server)

        return make

    def _has_room(self, server: web.Server) -> bool:
        """Whether there is room for another connection, perhaps by ending an idle one."""
        connections, handshakes = server.connections, self._handshakes
        if len(connections) + len(handshakes or ()) < self.most:
            return True
        self._warn()
        if handshakes is not None and handshakes.end_oldest():
            return True
        idle = next((each for each in connections if each not in self._busy), None)
        if idle is None:
            return False
        idle.force_close()
        return True

    def _warn(self) -> None:
        now = self._clock()
        if self._warned is None or now - self._warned >= _SECONDS_BETWEEN_WARNINGS:
            self._warned = now
            self._log.write(LogEvent.HTTP_API_FULL, limit=self.most)


class _Refusal(asyncio.Protocol):
    """Ends a connection at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
