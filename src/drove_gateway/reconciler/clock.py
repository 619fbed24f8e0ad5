"""Time and chance, as the reconciler needs them."""

import asyncio
import math
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Time as the reconciler needs it; tests bring their own."""

    def monotonic(self) -> float: ...
    def wall(self) -> float: ...
    def jitter(self) -> float:
        """Return a random factor of about 1."""
        ...

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until `event` is set (True) or `seconds`, which may be infinite, are over."""
        ...


class SystemClock:
    """The machine's time, made of a monotonic clock, Unix time, and random numbers from 0 to 1."""

    def __init__(
        self, monotonic: Callable[[], float], wall: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self.monotonic = monotonic
        self.wall = wall
        self._random = random

    def jitter(self) -> float:
        """Return a random factor from 0.8 to 1.2."""
        return 0.8 + 0.4 * self._random()

    async def wait(self, event: asyncio.Event, seconds: float) -> bool:
        """Wait until `event` is set (True) or `seconds`, which may be infinite, are over."""
        try:
            async with asyncio.timeout(None if math.isinf(seconds) else seconds):
                await event.wait()
        except TimeoutError:
            return False
        return True
