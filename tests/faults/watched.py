"""Watches a daemon from outside while it is attacked: is it alive, does it respond, is it small."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec
from tests.benches.processes import Bench

LONGEST_STALL = 0.25
# A machine that is busy with other things delays a response too. The daemon stalled if its own
# event loop computed for that long, or if it waited for something for far longer.
_LONGEST_WAIT = 20.0
_PAUSE_SECONDS = 0.05
_MEGABYTE = 1 << 20


class Observations(msgspec.Struct):
    """What was seen: stalls in seconds, and the largest memory and number of descriptors."""

    resting_memory: int
    resting_descriptors: int
    memory: int = 0
    descriptors: int = 0
    slowest: float = 0.0
    stalls: list[float] = []
    probes: int = 0
    attacks: int = 0
    log_bytes: int = 0

    def __str__(self) -> str:
        return (
            f"{self.attacks} attacks, {self.probes} probes, slowest {self.slowest:.3f} s, "
            f"stalls {[round(stall, 3) for stall in self.stalls]}, "
            f"memory {self.resting_memory / _MEGABYTE:.0f} MB at rest and "
            f"{self.memory / _MEGABYTE:.0f} MB at most, descriptors {self.resting_descriptors} "
            f"at rest and {self.descriptors} at most, {self.log_bytes} bytes of log"
        )


@asynccontextmanager
async def watched(bench: Bench) -> AsyncIterator[Observations]:
    """Watch the bench's daemon during the block. It must not end or be replaced meanwhile."""
    pid = bench.daemon.pid
    seen = Observations(memory_of(pid), descriptors_of(pid))
    log = bench.daemon.log_file.stat().st_size
    watching = asyncio.create_task(_watch(bench, pid, seen))
    try:
        yield seen
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        seen.log_bytes = bench.daemon.log_file.stat().st_size - log
    assert bench.daemon.pid == pid, "the daemon was replaced"
    assert Path(f"/proc/{pid}").exists(), f"the daemon ended:\n{bench.daemon.tail()}"


async def _watch(bench: Bench, pid: int, seen: Observations) -> None:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(60)) as session:
        while True:
            begin, computed = time.monotonic(), _computed(pid)
            try:
                async with session.get(f"{bench.daemon.api}/v1/metrics") as response:
                    await response.read()
            except (aiohttp.ClientError, TimeoutError, ConnectionError):
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            took, worked = time.monotonic() - begin, _computed(pid) - computed
            seen.probes += 1
            seen.slowest = max(seen.slowest, took)
            if (took > LONGEST_STALL and worked > LONGEST_STALL) or took > _LONGEST_WAIT:
                seen.stalls.append(took)
            seen.memory = max(seen.memory, memory_of(pid))
            seen.descriptors = max(seen.descriptors, descriptors_of(pid))
            await asyncio.sleep(_PAUSE_SECONDS)


def memory_of(pid: int) -> int:
    """Return the resident memory of a process in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def descriptors_of(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def _computed(pid: int) -> float:
    """Return the seconds for which the main thread has computed."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9
