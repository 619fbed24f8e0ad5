"""Starts processes, and waits for every one that ends: as process 1 also for strangers.

The kernel gives orphans to process 1, and they stay as zombies until it waits for them. So one
place waits for whatever child ended; asyncio's own subprocesses must not be used beside it.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from signal import Signals

import msgspec

from drove_gateway.model.errors import GatewayError

_LOOK_SECONDS = 0.01
# A process that was just started and does not take these signals yet must not be ended by them.
_TAKEN_LATER = (Signals.SIGHUP, Signals.SIGUSR1, Signals.SIGUSR2)


class ProcessError(GatewayError):
    """A process cannot be started, or does not keep going."""


class Child(msgspec.Struct, frozen=True):
    """A process that leads a group of its own. `result` is its exit code, or minus a signal."""

    pid: int
    result: asyncio.Future[int]

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self.result.done()

    async def ended(self) -> int:
        """Wait for its end and return its result. Cancelling a caller does not disturb others."""
        return await asyncio.shield(self.result)

    def send(self, number: Signals) -> None:
        """Send it a signal, if it runs."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def send_group(self, number: Signals) -> None:
        """Send a signal to all that it started and that stayed in its group, if it ended too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    async def has_children(self) -> None:
        """Wait until it has started a process of its own, or ended."""
        listed = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        while self.running and not _words(listed):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)


class Processes:
    """All that this process started."""

    def __init__(self) -> None:
        self._ended: dict[int, asyncio.Future[int]] = {}

    def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Wait for children from now on."""
        loop.add_signal_handler(signal.SIGCHLD, self._reap)

    def start(
        self, command: Sequence[str], environ: Mapping[str, str], outputs: Sequence[int] = ()
    ) -> Child:
        """Start a program, found by PATH, that writes where this one does, or to the descriptors
        `outputs`, which become its stdout and stderr.

        SIGHUP, SIGUSR1 and SIGUSR2 do nothing to it until it says what they should do. Raises
        ProcessError.
        """
        try:
            with _ignored(_TAKEN_LATER):
                pid = os.posix_spawnp(
                    command[0],
                    list(command),
                    environ,
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                        *((os.POSIX_SPAWN_DUP2, fd, at) for at, fd in enumerate(outputs, 1)),
                    ],
                    setpgroup=0,
                    setsigmask=(),
                    setsigdef=(signal.SIGPIPE,),
                )
        except OSError as error:
            raise ProcessError(f"cannot start {command[0]}: {error.strerror}") from error
        self._ended[pid] = asyncio.get_running_loop().create_future()
        return Child(pid, self._ended[pid])

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                pid, status = ended
                if pid in self._ended:
                    self._ended.pop(pid).set_result(os.waitstatus_to_exitcode(status))


@contextlib.contextmanager
def _ignored(numbers: Sequence[Signals]) -> Iterator[None]:
    """Ignore signals in what is started meanwhile; those that come to this process wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
    handlers = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _words(file: Path) -> list[str]:
    """Return the words of a file; where it cannot be read there is nothing to wait for."""
    try:
        return file.read_text().split()
    except OSError:
        return ["unknown"]
