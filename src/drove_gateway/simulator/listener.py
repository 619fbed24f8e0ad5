"""A listening HTTP server that can end gracefully or abruptly."""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp import web

Handler: TypeAlias = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

LAST_REQUESTS_SECONDS = 0.5
"""How long idle connections stay open after a server has stopped listening."""

RESET = struct.pack("ii", 1, 0)


class Listener:
    """HTTP on one port. `keep_alive` is how many seconds an idle connection stays open."""

    def __init__(
        self, handler: Handler, *, keep_alive: float, tls: ssl.SSLContext | None = None
    ) -> None:
        self._handler = handler
        self._keep_alive = keep_alive
        self._tls = tls
        self._http: web.Server | None = None
        self._server: asyncio.Server | None = None

    @property
    def listening(self) -> bool:
        """Whether new connections are accepted."""
        return self._server is not None

    async def open(self, host: str, port: int = 0) -> int:
        """Listen on the address, on a free port unless one is given, and return the port."""
        self._http = web.Server(
            self._handler,
            access_log=None,
            keepalive_timeout=self._keep_alive,
            handler_cancellation=True,
        )
        self._server = await asyncio.get_running_loop().create_server(
            self._http, host, port, backlog=1024, ssl=self._tls, reuse_address=True
        )
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def close(self, grace: float) -> None:
        """Accept no more connections, and let requests finish for `grace` seconds.

        Open connections may be used for a moment more: a request that is on its way when its
        connection is closed gets no response.
        """
        self._stop_listening()
        if self._http is not None:
            await asyncio.sleep(min(grace, LAST_REQUESTS_SECONDS))
            self._http.pre_shutdown()
            await self._http.shutdown(grace)

    async def cut(self) -> None:
        """Refuse new connections and reset open connections."""
        self._stop_listening()
        if self._http is not None:
            for connection in self._http.connections:
                if connection.transport is not None:
                    reset(connection.transport)
            await self._http.shutdown(1.0)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


def reset(transport: asyncio.BaseTransport) -> None:
    """End a connection with RST, so that the other side cannot take it for a clean end."""
    if not isinstance(transport, asyncio.Transport):
        return
    connection = transport.get_extra_info("socket")
    if connection is not None and connection.fileno() >= 0:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    transport.abort()
