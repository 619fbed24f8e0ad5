"""TLS handshakes of the API's clients, so that those that never end cost a bounded number of
connections.

asyncio's server shows a connection only once its handshake is complete; until then nobody could
count or end it. So connections are accepted as they are, and TLS begins afterwards.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import cast

_SECONDS = 5.0


class Handshakes:
    """The handshakes under way, oldest first."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._running: dict[_Handshake, None] = {}

    def __len__(self) -> int:
        return len(self._running)

    def begin(self, make: Callable[[], asyncio.BaseProtocol]) -> asyncio.BaseProtocol:
        """Return the protocol of a new connection, which is that of `make` after the handshake."""
        return _Handshake(self._context, make, self._running)

    def end_oldest(self) -> bool:
        """End the handshake that takes longest. Return whether there was one."""
        oldest = next(iter(self._running), None)
        if oldest is not None:
            oldest.abort()
        return oldest is not None

    def end_all(self) -> None:
        """End every handshake."""
        while self.end_oldest():
            pass


class _Handshake(asyncio.Protocol):
    """A connection whose handshake is not complete."""

    def __init__(
        self,
        context: ssl.SSLContext,
        make: Callable[[], asyncio.BaseProtocol],
        running: "dict[_Handshake, None]",
    ) -> None:
        self._context = context
        self._make = make
        self._running = running
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        # What the client sends is for TLS.
        self._transport.pause_reading()
        self._running[self] = None
        self._task = asyncio.create_task(self._complete(self._transport))

    def abort(self) -> None:
        self._running.pop(self, None)
        if self._task is not None:
            self._task.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _complete(self, transport: asyncio.Transport) -> None:
        first = _FirstData()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport,
                first,
                self._context,
                server_side=True,
                ssl_handshake_timeout=_SECONDS,
            )
        except OSError:
            # Not TLS, not in time, or gone: that is the client's matter.
            transport.abort()
        else:
            if secured is not None:
                first.pass_on(self._make(), secured)
        finally:
            self._running.pop(self, None)


class _FirstData(asyncio.Protocol):
    """Keeps what a client sends together with the end of its handshake."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._lost = False

    def data_received(self, data: bytes) -> None:
        self._data += data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._lost = True

    def pass_on(self, protocol: asyncio.BaseProtocol, transport: asyncio.Transport) -> None:
        """Let `protocol` have the connection, and what was received."""
        if self._lost:
            return
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        if self._data:
            cast("asyncio.Protocol", protocol).data_received(bytes(self._data))
