"""Constant keep-alive load: so many requests a second, whatever becomes of the answers.

A request is due at its time even when no connection is free, and its latency counts from then, so
that a stall is seen by all requests that it held up.
"""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

_TICK_SECONDS = 0.001
_PAUSE_SECONDS = 0.02


class Answer(NamedTuple):
    """What came of a request: when it was due and answered (monotonic seconds), and by whom.

    Status 0 is a connection that could not be made, or ended before the answer.
    """

    due: float
    at: float
    status: int
    instance: str
    body: bytes


class Load:
    """Requests for `vhosts` in turn, over `connections` that are kept, `rate` a second.

    `note` is called with every answer. `vhosts` may be replaced while it runs.
    """

    def __init__(
        self,
        port: int,
        vhosts: Sequence[str],
        *,
        rate: float,
        connections: int,
        note: Callable[[Answer], None],
    ) -> None:
        self.port = port
        self.vhosts = vhosts
        self.note = note
        self.connected = 0
        self._rate = rate
        self._connections = connections
        self._due: deque[float] = deque()
        self._idle: deque[_Connection] = deque()
        self._asked = 0
        self._stopping = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Load until the end of the block; requests under way are waited for."""
        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._connections):
                tasks.create_task(self._connect())
            ticking = tasks.create_task(self._tick())
            try:
                yield
            finally:
                ticking.cancel()
                self._due.clear()
                self._stopping = True
                for connection in self._idle:
                    connection.close()

    def next_request(self) -> bytes:
        """The text of the next request."""
        vhost = self.vhosts[self._asked % len(self.vhosts)]
        self._asked += 1
        return f"GET / HTTP/1.1\r\nHost: {vhost}\r\n\r\n".encode()

    def free(self, connection: "_Connection") -> None:
        """A connection has nothing to do."""
        if self._stopping:
            connection.close()
        elif self._due:
            connection.ask(self._due.popleft())
        else:
            self._idle.append(connection)

    def lost(self, connection: "_Connection") -> None:
        """A connection has ended."""
        if connection in self._idle:
            self._idle.remove(connection)

    async def _tick(self) -> None:
        begin, sent = time.monotonic(), 0
        while True:
            now = time.monotonic()
            while begin + sent / self._rate <= now:
                due = begin + sent / self._rate
                sent += 1
                if self._idle:
                    self._idle.popleft().ask(due)
                else:
                    self._due.append(due)
            await asyncio.sleep(max(_TICK_SECONDS, begin + sent / self._rate - now))

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._stopping:
            try:
                _, connection = await loop.create_connection(
                    lambda: _Connection(self), "127.0.0.1", self.port
                )
            except OSError:
                now = time.monotonic()
                self.note(Answer(self._due.popleft() if self._due else now, now, 0, "", b""))
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            self.connected += 1
            await connection.ended


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._load = load
        self._received = b""
        self._due: float | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport
        self._load.free(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self._load.lost(self)
        if self._due is not None:
            self._load.note(Answer(self._due, time.monotonic(), 0, "", b""))
        if not self.ended.done():
            self.ended.set_result(None)

    def ask(self, due: float) -> None:
        """Send the next request, which was due then."""
        self._due = due
        if self._transport is not None:
            self._transport.write(self._load.next_request())

    def close(self) -> None:
        """End it: nothing is under way."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or self._due is None:
            return
        length = _field(head, b"content-length")
        if length and len(body) < int(length):
            return
        instance = _field(head, b"x-instance-id").decode()
        self._load.note(Answer(self._due, time.monotonic(), int(head[9:12]), instance, body))
        self._due, self._received = None, b""
        if _field(head, b"connection").lower() == b"close" or not length:
            self.close()
        else:
            self._load.free(self)


def _field(head: bytes, name: bytes) -> bytes:
    before, found, _ = head.lower().partition(b"\r\n" + name + b": ")
    if not found:
        return b""
    return head[len(before) + len(found) :].partition(b"\r\n")[0]
