"""Copies what a process writes to this process's own streams, except for lines that are noise."""

import fcntl
import os
import re
import select
from collections.abc import Sequence
from contextlib import suppress
from threading import Thread

_PIPE_BYTES = 1 << 20
_CHUNK_BYTES = 1 << 16
# A longer line is copied in pieces.
_LONGEST_LINE = 1 << 16
_LAST_LINES_SECONDS = 2.0


class LineFilter:
    """Leaves out whole lines that match `noise`, whichever pieces they come in."""

    def __init__(self, noise: re.Pattern[bytes]) -> None:
        self._noise = noise
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return the complete lines up to now that are not noise."""
        text, newline, self._rest = (self._rest + chunk).rpartition(b"\n")
        passed = self._passing(text + newline)
        if len(self._rest) > _LONGEST_LINE:
            passed, self._rest = passed + self._rest, b""
        return passed

    def end(self) -> bytes:
        """Return what is left of a last line without an end."""
        rest, self._rest = self._rest, b""
        return rest

    def _passing(self, lines: bytes) -> bytes:
        if not self._noise.search(lines):
            return lines
        kept = (line for line in lines.splitlines(keepends=True) if not self._noise.match(line))
        return b"".join(kept)


class Relay:
    """Copies two pipes to `targets`, the descriptors of stdout and stderr, in threads.

    Processes that are started again write to the same pipes, as do workers that outlive them.
    `noise` is searched in many lines at once: it needs `(?m)`, `^` and `$`. A target that
    nobody reads any more loses lines, and the process does not wait for it.
    """

    def __init__(self, noise: re.Pattern[bytes], targets: Sequence[int] = (1, 2)) -> None:
        pipes = [os.pipe() for _ in targets]
        self.inputs = tuple(write for _, write in pipes)
        """What stdout and stderr of a process become."""
        self._threads = [
            Thread(target=_copy, args=(read, target, LineFilter(noise)), daemon=True)
            for (read, _), target in zip(pipes, targets, strict=True)
        ]
        for write in self.inputs:
            # Without the right to it, the pipe stays as small as it is.
            with suppress(OSError):
                fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Copy what is left. A process that still runs keeps its pipe; it is not waited for."""
        for write in self.inputs:
            os.close(write)
        for thread in self._threads:
            thread.join(_LAST_LINES_SECONDS)


def _copy(source: int, target: int, lines: LineFilter) -> None:
    while chunk := os.read(source, _CHUNK_BYTES):
        _write(target, lines.feed(chunk))
    _write(target, lines.end())
    os.close(source)


def _write(target: int, text: bytes) -> None:
    """Write all of `text`. Where nobody reads the target any more, the text is lost."""
    while text:
        try:
            text = text[os.write(target, text) :]
        except BlockingIOError:
            select.select((), (target,), ())
        except OSError:
            return
