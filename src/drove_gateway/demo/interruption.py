"""Work that ends, and cleans up, when a signal comes or the terminal is closed."""

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

# A closed terminal sends SIGHUP, Ctrl-C sends SIGINT.
ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def ended_by_itself(work: Coroutine[Any, Any, None]) -> bool:
    """Carry out `work` until its end or a signal. Return whether it ended by itself.

    A signal cancels `work`, which then stops what it has started. Later signals do not interrupt
    that.
    """
    loop, signalled = asyncio.get_running_loop(), asyncio.Event()
    for number in ENDING_SIGNALS:
        loop.add_signal_handler(number, signalled.set)
    working = asyncio.create_task(work)
    waiting = asyncio.create_task(signalled.wait())
    try:
        await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
            return True
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        return False
    finally:
        waiting.cancel()
