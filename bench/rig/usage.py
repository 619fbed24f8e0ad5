"""What a process uses, measured through /proc."""

import os
from contextlib import suppress
from pathlib import Path

import msgspec

_TICKS = os.sysconf("SC_CLK_TCK")


class Usage(msgspec.Struct, frozen=True):
    """What a process uses: resident bytes now and at most, seconds of CPU, open descriptors."""

    rss: int
    peak: int
    cpu: float
    descriptors: int
    threads: int


def usage(pid: int) -> Usage:
    """Return what a process uses now. Raises FileNotFoundError when it has ended."""
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
    """Return the running processes that `pid` started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)
