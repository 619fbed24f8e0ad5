"""Waiting for a condition, with a deadline: tests never sleep for a fixed time."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

_PAUSE_SECONDS = 0.005


async def until(condition: Callable[[], bool | Awaitable[bool]], seconds: float = 20) -> None:
    """Wait until `condition` holds; after `seconds` it is an AssertionError."""
    try:
        async with asyncio.timeout(seconds):
            while True:
                holds = condition()
                if await holds if inspect.isawaitable(holds) else holds:
                    return
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError as error:
        raise AssertionError(f"did not come true within {seconds:g} s: {condition}") from error
