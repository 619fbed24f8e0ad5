"""Processes: started with a log, ended for certain, and measured through /proc."""

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec

_STOP_SECONDS = 10.0
_PORTS = (10_000, 32_000)
_TICKS = os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def running(
    command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process until the end of the block. What it prints goes to `log`."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **(environ or {})},
        )
    try:
        yield process
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


class Usage(msgspec.Struct, frozen=True):
    """What a process uses: bytes resident now and at most, seconds of CPU, what it has open."""

    rss: int
    peak: int
    cpu: float
    descriptors: int
    threads: int


def usage(pid: int) -> Usage:
    """From /proc. Raises FileNotFoundError when the process is gone."""
    proc = Path(f"/proc/{pid}")
    status = dict(
        line.split(":", 1) for line in (proc / "status").read_text().splitlines() if ":" in line
    )
    # The name, in parentheses, may hold anything; the fields after it are counted from the third.
    fields = (proc / "stat").read_text().rpartition(")")[2].split()
    return Usage(
        rss=int(status["VmRSS"].split()[0]) * 1024,
        peak=int(status["VmHWM"].split()[0]) * 1024,
        cpu=(int(fields[11]) + int(fields[12])) / _TICKS,
        descriptors=sum(1 for _ in (proc / "fd").iterdir()),
        threads=int(status["Threads"]),
    )


def children(pid: int) -> list[int]:
    """The processes that this one started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)


def free_ports(count: int = 1) -> int:
    """The first of `count` neighbouring loopback ports that nobody listens on.

    They are none of those that the system gives to connections, so they stay free for a while.
    """
    for _ in range(100):
        first = random.randrange(*_PORTS)
        if all(_is_free(first + more) for more in range(count)):
            return first
    raise SystemExit(f"no {count} neighbouring ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True
