"""Real HTTP/1.1 traffic for tests: instances that answer, and clients that count failures.

Both are asyncio protocols without any framework, so that one process makes a few thousand
requests a second and still leaves time for what is under test.
"""

import asyncio
import collections
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

from tests.waiting import until

from drove_gateway.demo.processes import free_ports


class Instance:
    """A server on a free loopback port that answers every request with its name.

    `GET /slow/SECONDS` answers after so long. `requests` counts what was answered, and
    `connections` those that are open.
    """

    def __init__(self, name: str = "instance", host: str = "127.0.0.1") -> None:
        self.name = name
        self.host = host
        self.port = 0
        self.requests = 0
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Transport] = set()

    async def start(self) -> "Instance":
        """Listen; from then on `port` is known."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: _Answering(self), self.host, self.port, backlog=1024
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        """Stop as a killed process does: the port is closed and connections are cut."""
        if self._server is not None:
            self._server.close()
            for transport in list(self._connections):
                transport.abort()
            await self._server.wait_closed()
            self._server = None

    @property
    def connections(self) -> int:
        return len(self._connections)

    def opened(self, transport: asyncio.Transport) -> None:
        """Remember a connection, to cut it at the end."""
        self._connections.add(transport)

    def closed(self, transport: asyncio.Transport) -> None:
        """Forget a connection."""
        self._connections.discard(transport)


class _Answering(asyncio.Protocol):
    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._transport: asyncio.Transport | None = None
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._instance.opened(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if self._transport is not None:
            self._instance.closed(self._transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        while b"\r\n\r\n" in self._received:
            head, _, self._received = self._received.partition(b"\r\n\r\n")
            path = head.split(b" ", 2)[1]
            if path.startswith(b"/slow/"):
                seconds = float(path.removeprefix(b"/slow/"))
                asyncio.get_running_loop().call_later(seconds, self._answer)
            else:
                self._answer()

    def _answer(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._instance.requests += 1
        body = self._instance.name.encode()
        self._transport.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )


@dataclass
class Tally:
    """What clients saw: answers by body, every failure in words, when the request began and when
    it failed (monotonic), and how many requests were sent again (see `Traffic`)."""

    answers: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)
    begun_at: list[float] = field(default_factory=list)
    failed_at: list[float] = field(default_factory=list)
    repeated: int = 0

    def fail(self, reason: str, begun: float) -> None:
        """Count a request that failed."""
        self.failures.append(reason)
        self.begun_at.append(begun)
        self.failed_at.append(time.monotonic())

    @property
    def requests(self) -> int:
        return self.answers.total() + len(self.failures)


class Traffic:
    """Keep-alive clients that ask one after the other, each for the next of `vhosts`, with `pause`
    seconds after each answer: without it they take all that the machine has.

    Any answer but 200 counts as a failure, and so does a connection that ends before the answer
    to a request on it. With `repeat`, a request is sent once more if a connection that was used
    before ends without a byte of its answer: HTTP provides that (RFC 9112, 9.3.1), browsers and
    libraries do it, and HAProxy relies on it.
    """

    def __init__(
        self,
        port: int,
        vhosts: list[str],
        *,
        clients: int,
        path: str = "/",
        headers: dict[str, str] | None = None,
        pause: float = 0.0,
        repeat: bool = False,
    ) -> None:
        self.tally = Tally()
        self.stopping = False
        self.port = port
        self.pause = pause
        self.repeat = repeat
        self._clients = clients
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        self.requests = [
            f"GET {path} HTTP/1.1\r\nHost: {vhost}\r\n{extra}\r\n".encode() for vhost in vhosts
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Tally]:
        """Traffic until the end of the block; every request under way is waited for."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(self._clients):
                tasks.create_task(self._client(number))
            try:
                yield self.tally
            finally:
                self.stopping = True

    async def answered(self, more: int) -> None:
        """Wait until `more` further requests were answered."""
        goal = self.tally.requests + more
        await until(lambda: self.tally.requests >= goal)

    async def _client(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        lost = False
        while lost or not self.stopping:
            begun = time.monotonic()
            try:
                _, client = await loop.create_connection(
                    partial(_Asking, self, number), "127.0.0.1", self.port
                )
            except OSError as error:
                self.tally.fail(f"cannot connect: {error}", begun)
                await asyncio.sleep(0.02)
                continue
            lost = await client.ended
            number = client.next


class _Asking(asyncio.Protocol):
    """A client's connection. `ended` says whether its last request is to be sent again, and `next`
    which request comes next."""

    def __init__(self, traffic: Traffic, number: int) -> None:
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.next = number
        self._traffic = traffic
        self._answered = 0
        self._received = b""
        self._waiting = False
        self._begun = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        again = self._waiting and self._traffic.repeat and self._answered and not self._received
        if again:
            self.next -= 1
            self._traffic.tally.repeated += 1
        elif self._waiting:
            self._fail(f"connection ended without an answer: {exc}")
        if not self.ended.done():
            self.ended.set_result(bool(again))

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found:
            return
        lower = head.lower()
        length = int(lower.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
        if len(body) < length:
            return
        self._received = b""
        self._waiting = False
        self._answered += 1
        status = head[9:12]
        if status == b"200":
            self._traffic.tally.answers[body.decode()] += 1
        else:
            self._fail(f"status {status.decode()}")
        if b"connection: close" in lower or self._traffic.stopping:
            assert self._transport is not None
            self._transport.close()
        elif self._traffic.pause:
            asyncio.get_running_loop().call_later(self._traffic.pause, self._ask)
        else:
            self._ask()

    def _ask(self) -> None:
        assert self._transport is not None
        if self._traffic.stopping and self._answered:
            self._transport.close()
        if self._transport.is_closing():
            return
        requests = self._traffic.requests
        self._transport.write(requests[self.next % len(requests)])
        self.next += 1
        self._waiting = True
        self._begun = time.monotonic()

    def _fail(self, reason: str) -> None:
        self._traffic.tally.fail(reason, self._begun)


async def get(
    port: int, vhost: str, path: str = "/", headers: dict[str, str] | None = None
) -> tuple[int, str]:
    """One request on a connection of its own: status and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {vhost}\r\nConnection: close\r\n{extra}\r\n".encode()
        )
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        return int(head[9:12] or 0), body.decode()
    finally:
        writer.close()


def free_port() -> int:
    """Return a free loopback port that the system gives to nobody else meanwhile."""
    return free_ports()
