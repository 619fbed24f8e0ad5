"""When what is kept on disk is written: soon, but in a small part of the time.

Writing takes a twentieth of the time at most, so a large state that changes all the time is written
less often. After failures, the next write comes ever later, up to a minute.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from drove_gateway.model.backoff import backoff

_LEAST_REST_SECONDS = 1.0
_REST_PER_WRITE = 20.0
_FIRST_RETRY_SECONDS = 2.0
_LONGEST_RETRY_SECONDS = 60.0


class PacedWrites:
    """Calls a writer whenever something was noted, and rests between its writes.

    `failures` counts the writes that failed since the last success.
    """

    def __init__(self) -> None:
        self.failures = 0
        self._noted = asyncio.Event()
        self._stopping = asyncio.Event()

    def note(self) -> None:
        """There is something to write."""
        self._noted.set()

    def stop(self) -> None:
        """End `run`, after a last write."""
        self._stopping.set()
        self._noted.set()

    async def run(self, write: Callable[[], Awaitable[float]]) -> None:
        """Call `write`, which returns the seconds to rest, until `stop`."""
        while not self._stopping.is_set():
            await self._noted.wait()
            self._noted.clear()
            rest = await write()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._stopping.wait()
        await write()

    def failed(self) -> float:
        """A write failed and is due again: return the seconds to rest."""
        self.failures += 1
        self._noted.set()
        return backoff(self.failures, first=_FIRST_RETRY_SECONDS, longest=_LONGEST_RETRY_SECONDS)

    def worked(self, begin: float) -> float:
        """A write that began at `begin`, on the monotonic clock, worked: return the rest."""
        self.failures = 0
        return max(_LEAST_REST_SECONDS, _REST_PER_WRITE * (time.monotonic() - begin))
