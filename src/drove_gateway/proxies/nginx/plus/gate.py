"""Holds writes back while NGINX reloads, since changes made during a reload can be lost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Many may write at once; while it is closed, nobody does."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._nobody_writes = asyncio.Event()
        self._nobody_writes.set()
        self._writers = 0

    @property
    def is_closed(self) -> bool:
        return not self._open.is_set()

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """Wait until the gate is open, then keep it from closing."""
        while not self._open.is_set():
            await self._open.wait()
        self._writers += 1
        self._nobody_writes.clear()
        try:
            yield
        finally:
            self._writers -= 1
            if not self._writers:
                self._nobody_writes.set()

    @asynccontextmanager
    async def closed(self) -> AsyncIterator[None]:
        """Let no new writer in, wait for those inside to end, and open again in the end."""
        self._open.clear()
        try:
            await self._nobody_writes.wait()
            yield
        finally:
            self._open.set()
