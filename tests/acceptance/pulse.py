"""How long an event loop is kept waiting."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

LONGEST_STALL_SECONDS = 0.25


class Pulse:
    """Measures for how long, in CPU seconds of this process, the event loop did not come around.

    Not in seconds, since the machine may be busy with other work. Work of any thread counts.
    """

    def __init__(self) -> None:
        self.longest = 0.0

    async def run(self) -> None:
        while True:
            before = time.process_time()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.process_time() - before)

    @classmethod
    @asynccontextmanager
    async def beating(cls) -> AsyncIterator[Self]:
        """Measure until the end of the block.

        Collecting garbage stops every thread for as long as the heap is large. Thousands of other
        tests, which no gateway has in its heap, are left out of that.
        """
        pulse = cls()
        gc.collect()
        gc.freeze()
        task = asyncio.create_task(pulse.run())
        try:
            yield pulse
        finally:
            task.cancel()
            await asyncio.wait((task,))
            gc.unfreeze()
