"""Requests a page of a daemon again and again, from a process of its own.

    python -m tests.faults.prober PID HOST:PORT PATH

It ends when its standard input ends, and prints its `Measurements` as JSON. In a process of its
own, the work of a test delays no request.
"""

import contextlib
import http.client
import select
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

LONGEST_STALL = 0.25
"""Seconds within which a daemon that is allowed to run must respond."""

_PAUSE_SECONDS = 0.05
_RETRY_SECONDS = 0.01
_RESPONSE_SECONDS = 60.0


class Measurements(msgspec.Struct):
    """What the probes came to. Times are in seconds.

    `slowest` and `stalls` are what the daemon took: without the time in which its threads or the
    prober were ready to run and other processes had the processors. `slowest_by_clock` includes
    that. `refused` counts attempts without a response; they make a probe longer.
    """

    probes: int = 0
    refused: int = 0
    slowest: float = 0.0
    slowest_by_clock: float = 0.0
    stalls: list[float] = []

    def add(self, took: float, queued: float) -> None:
        """Add a response after `took`, of which `queued` was spent waiting for a processor."""
        own = max(0.0, took - queued)
        self.probes += 1
        self.slowest = max(self.slowest, own)
        self.slowest_by_clock = max(self.slowest_by_clock, took)
        if own > LONGEST_STALL:
            self.stalls.append(own)


def queued_of(pid: int | str) -> dict[str, float]:
    """Return for each thread the seconds in which it waited for a processor.

    Source: the second field of schedstat (Documentation/scheduler/sched-stats.rst of Linux).
    """
    threads: dict[str, float] = {}
    for task in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            threads[task.name] = int((task / "schedstat").read_text().split()[1]) / 1e9
    return threads


def queued_between(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    """Return the sum of what the threads waited between two calls of `queued_of`."""
    return sum(seconds - before.get(thread, 0.0) for thread, seconds in after.items())


def responds(address: str, path: str) -> bool:
    """Send a request on a new connection. Return whether a complete response came."""
    connection = http.client.HTTPConnection(address, timeout=_RESPONSE_SECONDS)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    else:
        return True
    finally:
        connection.close()


def probe(
    pid: int,
    address: str,
    path: str,
    measurements: Measurements,
    ended: Callable[[float], bool],
) -> None:
    """Repeat a request until there is a response, and add how long that took.

    `ended` waits for so many seconds, and returns True when it is time to give up.
    """
    began, daemon, prober = time.monotonic(), queued_of(pid), queued_of("self")
    while not responds(address, path):
        measurements.refused += 1
        if ended(_RETRY_SECONDS):
            return
    took = time.monotonic() - began
    queued = queued_between(daemon, queued_of(pid)) + queued_between(prober, queued_of("self"))
    measurements.add(took, queued)


def _input_ended(seconds: float) -> bool:
    return bool(select.select([sys.stdin], [], [], seconds)[0])


def main(pid: int, address: str, path: str) -> None:
    """Probe until standard input ends, and print the measurements."""
    measurements = Measurements()
    while not _input_ended(_PAUSE_SECONDS):
        probe(pid, address, path, measurements, _input_ended)
    print(msgspec.json.encode(measurements).decode())


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
