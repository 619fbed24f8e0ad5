"""A reload that may wait: it brings what the proxy serves meanwhile in another way.

Many such changes share a reload, which comes some time after the first of them, and not while
earlier reloads have left many old workers behind.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Container

from drove_gateway.model.workers import Workers

CountWorkers = Callable[[], Awaitable[Workers | None]]

# So many generations of old workers make the reload wait for another interval.
_MOST_GENERATIONS = 2


class LateReload:
    """Says when the reload is due. `interval` is in seconds."""

    def __init__(self, interval: float, count_workers: CountWorkers) -> None:
        self._interval = interval
        self._count_workers = count_workers
        self._waiting = asyncio.Event()
        self._names: set[str] = set()
        self._due = False

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why a reload is due now; empty while it may wait."""
        if not self._due:
            return ()
        first = min(self._names)
        more = f" and {len(self._names) - 1} more" if len(self._names) > 1 else ""
        return (f"vhost {first}{more} gets blocks of its own",)

    def add(self, names: set[str]) -> None:
        """Note vhosts that the proxy serves without blocks of their own."""
        self._names |= names
        if self._names:
            self._waiting.set()

    def retain(self, vhosts: Container[str]) -> None:
        """Forget every vhost except `vhosts`: those that left need no blocks."""
        self._keep({name for name in self._names if name in vhosts})

    def is_met(self, reasons: Collection[str]) -> bool:
        """Whether an install for `reasons` brings everything, also without a reload where another
        program reloaded the proxy before."""
        return self._due and set(self.reasons).issubset(reasons)

    def reloaded(self) -> None:
        """A reload has brought everything."""
        self._keep(set())

    async def run(self, wake: Callable[[str], None]) -> None:
        """Wait for what may wait, until cancelled; `wake` when the reload is due."""
        while True:
            await self._waiting.wait()
            await asyncio.sleep(self._interval)
            delayed = await self._has_many_old_workers()
            # A reload may have come meanwhile.
            if self._names and not delayed:
                self._waiting.clear()
                self._due = True
                wake(*self.reasons)

    def _keep(self, names: set[str]) -> None:
        self._names = names
        if not names:
            self._due = False
            self._waiting.clear()

    async def _has_many_old_workers(self) -> bool:
        workers = await self._count_workers()
        return workers is not None and workers.old > _MOST_GENERATIONS * workers.current
