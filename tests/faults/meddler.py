"""A Unix socket between the gateway and HAProxy's runtime API that spoils replies."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.faults.connections import Connections
from tests.faults.mutations import mutated


class Meddler:
    """Forwards commands as they are. While `share` is above 0, so many of the replies are spoiled:
    mutated, cut off, delayed, or sent a byte at a time."""

    def __init__(self, socket: Path, behind: Path, dice: random.Random) -> None:
        self.socket = socket
        self.share = 0.0
        self.spoiled = 0
        self._behind = behind
        self._dice = dice

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        connections = Connections(self._serve)
        server = await asyncio.start_unix_server(connections, self.socket)
        try:
            yield
        finally:
            server.close()
            await connections.end()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_unix_connection(str(self._behind))
        except OSError:
            writer.transport.abort()
            return
        forwarding = asyncio.create_task(_forward(reader, forth))
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._reply(back, writer)
        finally:
            forwarding.cancel()
            for each in (writer, forth):
                each.transport.abort()

    async def _reply(self, back: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await back.read(1 << 16):
            if self._dice.random() < self.share:
                self.spoiled += 1
                await self._spoil(data, writer)
            else:
                writer.write(data)
            await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def _spoil(self, data: bytes, writer: asyncio.StreamWriter) -> None:
        match self._dice.randrange(6):
            case 0:
                writer.transport.abort()
            case 1:
                await asyncio.sleep(self._dice.random())
                writer.write(data)
            case 2:
                for byte in data[:200]:
                    writer.write(bytes([byte]))
                    await asyncio.sleep(0.005)
            case _:
                writer.write(mutated(data, self._dice))


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
