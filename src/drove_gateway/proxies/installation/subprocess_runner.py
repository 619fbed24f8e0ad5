"""Run the operator's commands: with a time limit, never through a shell."""

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from drove_gateway.config.declared_secrets import without_declared_secrets
from drove_gateway.model.errors import CommandFailed, CommandTimeout
from drove_gateway.process.program import find_program

# The output is kept for health and log; a runaway command must not fill the memory.
_MOST_OUTPUT = 64 * 1024
# A warning for each of 100,000 servers is less; reading endless output would keep a core busy.
_ENDLESS_OUTPUT = 32 << 20
# A reload command may leave a daemon behind that keeps the pipe open; do not wait for its output.
_OUTPUT_GRACE_SECONDS = 0.5
# NGINX: `2026/11/27 23:04:01 [emerg] 4199#4199: text`. HAProxy: `[ALERT]    (4424) : text`, and its
# version and path before each complaint.
_OF_ONE_CALL = re.compile(
    r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?=\[)|(?<=\]) \d+#\d+:(?= )|(?<=\])\s+\(\d+\) :(?= )"
    r"|^\[NOTICE\]\s+\(\d+\) : (?:haproxy version is|path to executable is) .*$"
)


class Finished(msgspec.Struct, frozen=True):
    """A command that ended by itself: its exit code and the output of both streams."""

    exit_code: int
    output: str


async def run(
    command: Sequence[str], *, timeout: float, env: dict[str, str] | None = None
) -> Finished:
    """Run `command` and wait for its end, at most `timeout` seconds.

    Raises CommandFailed if it cannot be started or prints without end, CommandTimeout if it does
    not end in time; in both cases the whole process group is killed.
    """
    output = _Output()
    process = await _start(command, output, env)
    output.flooded = lambda: _kill_unless_ended(process)
    try:
        async with asyncio.timeout(timeout):
            exit_code = await process.wait()
    except TimeoutError as error:
        raise CommandTimeout(
            f"{_shown(command)} did not end within {timeout:g} s and was killed"
        ) from error
    finally:
        if process.returncode is None:
            _kill_group(process.pid)
            await process.wait()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OUTPUT_GRACE_SECONDS):
                await output.ended.wait()
    if exit_code == -signal.SIGKILL and output.size > _ENDLESS_OUTPUT:
        raise CommandFailed(
            f"{_shown(command)} printed more than {_ENDLESS_OUTPUT >> 20} MB and was killed"
        )
    return Finished(exit_code, output.kept.decode(errors="replace"))


async def run_ok(command: Sequence[str], *, timeout: float) -> str:
    """Run `command` and return its output. Raises CommandFailed for any exit code except 0."""
    finished = await run(command, timeout=timeout)
    if finished.exit_code != 0:
        raise CommandFailed(
            f"{_shown(command)} ended with exit code {finished.exit_code}: "
            f"{last_lines(finished.output)}",
            output=finished.output,
        )
    return finished.output


def last_lines(output: str, most: int = 600) -> str:
    """Return the end of a command's output on one line, for messages.

    Without what differs at each call, so that the same problem has the same message.
    """
    text = _on_a_line(output)
    if len(text) <= most:
        return text
    cut, _, words = text[-most:].partition(" ")
    return f"… {words or cut}"


def first_lines(output: str, most: int = 600) -> str:
    """Return the beginning of a command's output, as `last_lines` returns the end."""
    text = _on_a_line(output)
    if len(text) <= most:
        return text
    words, _, cut = text[:most].rpartition(" ")
    return f"{words or cut} …"


def _on_a_line(output: str) -> str:
    lines = (_OF_ONE_CALL.sub("", line).strip() for line in output.splitlines())
    return " | ".join(line for line in lines if line)


class _Output(asyncio.Protocol):
    """The output of a command; only the beginning is kept. `flooded` is called for each part of
    endless output.

    It is read to the end, which may be much later: a daemon that the command left behind must
    neither block on a full pipe nor be killed by a closed pipe.
    """

    def __init__(self) -> None:
        self.kept = bytearray()
        self.size = 0
        self.ended = asyncio.Event()
        self.flooded: Callable[[], None] = lambda: None

    def data_received(self, data: bytes) -> None:
        self.kept += data[: _MOST_OUTPUT - len(self.kept)]
        self.size += len(data)
        if self.size > _ENDLESS_OUTPUT:
            self.flooded()

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.ended.set()


async def _start(
    command: Sequence[str], output: _Output, env: dict[str, str] | None
) -> asyncio.subprocess.Process:
    try:
        reading, writing = os.pipe()
    except OSError as error:
        raise CommandFailed(f"cannot run {_shown(command)}: {error.strerror}") from error
    try:
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: output, os.fdopen(reading, "rb", buffering=0))
        return await asyncio.create_subprocess_exec(
            find_program(command[0]) or command[0],
            *command[1:],
            stdin=asyncio.subprocess.DEVNULL,
            stdout=writing,
            stderr=asyncio.subprocess.STDOUT,
            env=env,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise CommandFailed(f"cannot run {_shown(command)}: {_reason(command, error)}") from error
    finally:
        os.close(writing)


def _kill_unless_ended(process: asyncio.subprocess.Process) -> None:
    """Kill a command that floods. A daemon that it left behind may print as much as it likes."""
    if process.returncode is None:
        _kill_group(process.pid)


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _shown(command: Sequence[str]) -> str:
    return f"`{without_declared_secrets(' '.join(command))}`"


def _reason(command: Sequence[str], error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return (
            f"no program {command[0]!r} on this machine; it was searched in PATH and in /usr/sbin"
        )
    if isinstance(error, PermissionError):
        return f"{Path(command[0])} may not be executed by this user"
    return str(error)
