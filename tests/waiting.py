"""Waiting with a deadline: tests never sleep for a fixed time.

A deadline counts the time in which this process ran. When the machine is paused, or so busy that
the event loop does not get its turn, the gap counts as a single short step, so that a test fails
for what it tests and not for where it runs.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")

_POLL_SECONDS = 0.005
_STEP_SECONDS = 0.05
# A step that took longer was not ours: the loop had no turn. It counts as this long.
_LONGEST_STEP_SECONDS = 4 * _STEP_SECONDS


class RunningTime:
    """Seconds since `now` in which the caller got its turn. Call `step` at short intervals."""

    def __init__(self, now: float) -> None:
        self.seconds = 0.0
        self._last = now

    def step(self, now: float) -> float:
        """Count the time since the last step, at most 0.2 s of it. Return the total."""
        self.seconds += min(now - self._last, _LONGEST_STEP_SECONDS)
        self._last = now
        return self.seconds


async def until(
    condition: Callable[[], bool | Awaitable[bool]],
    seconds: float = 20,
    describe: Callable[[], str] | None = None,
) -> None:
    """Wait until `condition` is true. Raise AssertionError when it is not within `seconds`.

    `describe` says at that moment what is missing.
    """

    async def poll() -> None:
        while True:
            holds = condition()
            if await holds if inspect.isawaitable(holds) else holds:
                return
            await asyncio.sleep(_POLL_SECONDS)

    await within(poll(), seconds, describe or (lambda: f"never true: {condition}"))


async def within(awaitable: Awaitable[T], seconds: float, describe: Callable[[], str]) -> T:
    """Return the result of `awaitable`. Raise AssertionError when it takes more than `seconds`."""
    working = asyncio.ensure_future(awaitable)
    try:
        running = RunningTime(time.monotonic())
        while not working.done() and running.step(time.monotonic()) < seconds:
            await asyncio.wait({working}, timeout=min(_STEP_SECONDS, seconds))
        if working.done():
            return working.result()
        raise AssertionError(f"{describe()} (waited for {seconds:g} s)")
    finally:
        await _cancel(working)


async def _cancel(working: asyncio.Future[T]) -> None:
    if not working.done():
        working.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await working
