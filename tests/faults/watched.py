"""Watches a daemon from outside while it is attacked: is it alive, does it respond, is it small."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from tests.benches.processes import Bench
from tests.faults.prober import Measurements

_ROOT = Path(__file__).parents[2]
_PAUSE_SECONDS = 0.05
_MEGABYTE = 1 << 20


class Observations(msgspec.Struct):
    """What was seen: how it responded, and the largest memory and number of descriptors."""

    resting_memory: int
    resting_descriptors: int
    memory: int = 0
    descriptors: int = 0
    responses: Measurements = msgspec.field(default_factory=Measurements)
    attacks: int = 0
    log_bytes: int = 0

    def __str__(self) -> str:
        responses = self.responses
        return (
            f"{self.attacks} attacks, {responses.probes} probes, {responses.refused} refused, "
            f"slowest {responses.slowest:.3f} s ({responses.slowest_by_clock:.3f} s by the clock), "
            f"stalls {[round(stall, 3) for stall in responses.stalls]}, "
            f"memory {self.resting_memory / _MEGABYTE:.0f} MB at rest and "
            f"{self.memory / _MEGABYTE:.0f} MB at most, descriptors {self.resting_descriptors} "
            f"at rest and {self.descriptors} at most, {self.log_bytes} bytes of log"
        )


@asynccontextmanager
async def watched(bench: Bench) -> AsyncIterator[Observations]:
    """Watch the bench's daemon during the block. It must not end or be replaced meanwhile.

    How it responded is known after the block.
    """
    pid = bench.daemon.pid
    seen = Observations(memory_of(pid), descriptors_of(pid))
    log = bench.daemon.log_file.stat().st_size
    prober = await start_prober(pid, bench.daemon.api)
    watching = asyncio.create_task(_watch(pid, seen))
    try:
        yield seen
    finally:
        seen.responses = await measurements_of(prober)
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching
        seen.log_bytes = bench.daemon.log_file.stat().st_size - log
    assert bench.daemon.pid == pid, "the daemon was replaced"
    assert bench.daemon.running, f"the daemon ended:\n{bench.daemon.tail()}"


async def start_prober(pid: int, api: str, path: str = "/v1/metrics") -> asyncio.subprocess.Process:
    """Start to measure how fast a process responds at `api`."""
    command = (sys.executable, "-m", "tests.faults.prober", str(pid))
    address = api.removeprefix("http://")
    return await asyncio.create_subprocess_exec(
        *command, address, path, cwd=_ROOT, stdin=PIPE, stdout=PIPE
    )


async def measurements_of(prober: asyncio.subprocess.Process) -> Measurements:
    """End the prober. Return what it measured."""
    output, _ = await prober.communicate(b"")
    return msgspec.json.decode(output, type=Measurements)


async def _watch(pid: int, seen: Observations) -> None:
    while True:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            seen.memory = max(seen.memory, memory_of(pid))
            seen.descriptors = max(seen.descriptors, descriptors_of(pid))
        await asyncio.sleep(_PAUSE_SECONDS)


def memory_of(pid: int) -> int:
    """Return the resident memory of a process in bytes; 0 once it has ended."""
    status = Path(f"/proc/{pid}/status").read_text()
    resident = status.partition("VmRSS:")[2].split()
    return int(resident[0]) * 1024 if resident else 0


def descriptors_of(pid: int) -> int:
    """Return how many descriptors a process has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
