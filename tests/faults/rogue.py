"""A controller of another namespace that responds with any bytes, without an HTTP library."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.faults.connections import Connections
from tests.traffic import Instance, free_port

VHOST = "other.test"

Misbehave = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Rogue:
    """Leads and lists `apps`. `misbehave`, if set, writes the response to requests for them, and
    `misbehave_events` that to requests for events."""

    def __init__(self) -> None:
        self.port = free_port()
        self.apps: list[dict[str, Any]] = []
        self.misbehave: Misbehave | None = None
        self.misbehave_events: Misbehave | None = None
        self._instance = Instance("other")

    def lists(self, app: str, host: str, port: int, **more: object) -> None:
        """Add this app to the listing."""
        self.drops(app)
        self.apps.append(
            {
                "appName": app,
                "appId": f"{app}-1",
                "vhost": f"{app}.test",
                "hosts": [{"host": host, "port": port, "portType": "HTTP"}],
                **more,
            }
        )

    def drops(self, app: str) -> None:
        """Remove this app from the listing."""
        self.apps = [listed for listed in self.apps if listed["appName"] != app]

    def reset(self) -> None:
        """Behave, and list nothing but the app `other`, which serves `VHOST`."""
        self.misbehave = self.misbehave_events = None
        self.apps = []
        self.lists("other", "127.0.0.1", self._instance.port)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Rogue"]:
        """Listen at `port` until the block ends."""
        await self._instance.start()
        self.reset()
        connections = Connections(self._serve)
        server = await asyncio.start_server(connections, "127.0.0.1", self.port)
        try:
            yield self
        finally:
            server.close()
            await connections.end()
            await self._instance.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.split(b" ", 2)[1], writer)
                await writer.drain()
        writer.transport.abort()

    async def _answer(self, path: bytes, writer: asyncio.StreamWriter) -> None:
        if b"/endpoints" in path:
            if self.misbehave is not None:
                await self.misbehave(writer)
                return
            writer.write(answer(self.apps))
        elif b"/events" in path:
            if self.misbehave_events is not None:
                await self.misbehave_events(writer)
                return
            writer.write(answer({"eventsCount": {}, "lastSyncTime": 1}))
        else:
            writer.write(answer("pong"))


def answer(data: object) -> bytes:
    """Return a good response with this `data`."""
    return plain(json.dumps({"status": "SUCCESS", "data": data, "message": "success"}).encode())


def plain(body: bytes, *headers: str) -> bytes:
    """Return a response with this body and further `headers`."""
    more = "".join(f"{header}\r\n" for header in headers)
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{more}"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
