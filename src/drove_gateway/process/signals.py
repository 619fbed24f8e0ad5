"""The signals that the daemon handles."""

import asyncio
import signal
from signal import Signals

ENDING = frozenset({Signals.SIGTERM, Signals.SIGINT})
HANDLED = (*sorted(ENDING), Signals.SIGHUP, Signals.SIGUSR1, Signals.SIGUSR2)


def ignore_until_handled() -> None:
    """Let signals that would end the process, and do not mean that, pass during the start."""
    for number in HANDLED:
        if number not in ENDING:
            signal.signal(number, signal.SIG_IGN)


class SignalQueue:
    """Signals in the order in which they arrived; each waits at most once.

    A process that could not run for a moment gets what was sent meanwhile in any order (signal(7)),
    so of SIGUSR1 and SIGUSR2 that wait together SIGUSR2 counts as the later one: a proxy that is
    contacted too early is tried again, but a proxy left alone is stale for minutes.
    """

    def __init__(self) -> None:
        self._waiting: list[Signals] = []
        self._came = asyncio.Event()
        self._ends = asyncio.Event()

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Handle signals from now on."""
        for number in HANDLED:
            loop.add_signal_handler(number, self.put, number)

    def put(self, number: Signals) -> None:
        """Queue a signal."""
        if number not in self._waiting:
            self._waiting.append(number)
        self._came.set()
        if number in ENDING:
            self._ends.set()

    async def ending(self) -> None:
        """Wait until a signal that ends the daemon has arrived; `next` still returns it."""
        await self._ends.wait()

    async def next(self) -> Signals:
        """Wait for the next signal: those that end the daemon first, SIGUSR1 before SIGUSR2."""
        while not self._waiting:
            self._came.clear()
            await self._came.wait()
        first = next((number for number in self._waiting if number in ENDING), self._waiting[0])
        if first is Signals.SIGUSR2 and Signals.SIGUSR1 in self._waiting:
            first = Signals.SIGUSR1
        self._waiting.remove(first)
        return first
