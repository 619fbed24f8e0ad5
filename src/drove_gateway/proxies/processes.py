"""The processes of this machine, as `/proc` shows them.

What cannot be read is left out: another user's process, another container's, one that has ended.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from drove_gateway.model.workers import Workers

PROC = Path("/proc")
_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PPID, _STARTED = 1, 19
"""The positions of the parent and the start in `/proc/PID/stat`, counted after the name."""


class Process(msgspec.Struct, frozen=True):
    """A process: its parent, its arguments or the title that it gave itself, and when it started,
    in ticks since the machine did."""

    pid: int
    parent: int
    arguments: tuple[str, ...]
    started: int

    @property
    def title(self) -> str:
        return " ".join(self.arguments)


def processes(mark: bytes, proc: Path = PROC) -> Iterator[Process]:
    """Yield the processes that have `mark` in their arguments or title."""
    for directory in proc.iterdir():
        if directory.name.isdecimal() and (process := _process(directory, mark)):
            yield process


def observe(current: int, old: Iterable[int], proc: Path = PROC) -> Workers:
    """Return that the proxy has `current` workers, and old workers with the ids `old`."""
    ids = tuple(old)
    return Workers(
        current=current,
        old=len(ids),
        old_memory=sum(memory(pid, proc) for pid in ids),
        machine_memory=machine_memory(),
    )


def memory(pid: int, proc: Path = PROC) -> int:
    """Return the bytes that a process would free: what it shares with others counts in part where
    that can be read, and what it shares by files not at all."""
    try:
        rollup = (proc / str(pid) / "smaps_rollup").read_text()
        shares = (line.split() for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
        return sum(int(fields[1]) * 1024 for fields in shares)
    except (OSError, ValueError, IndexError):
        pass
    try:
        _, resident, shared, *_ = (proc / str(pid) / "statm").read_text().split()
        return (int(resident) - int(shared)) * _PAGE
    except (OSError, ValueError):
        return 0


def machine_memory() -> int:
    """Return the bytes of memory of the machine, or of the container if it has a limit."""
    machine = os.sysconf("SC_PHYS_PAGES") * _PAGE
    try:
        return min(machine, int(_CGROUP_LIMIT.read_text()))
    except (OSError, ValueError):
        return machine


def _process(directory: Path, mark: bytes) -> Process | None:
    try:
        arguments = (directory / "cmdline").read_bytes()
        if mark not in arguments:
            return None
        fields = (directory / "stat").read_text(errors="replace").rpartition(")")[2].split()
        return Process(
            pid=int(directory.name),
            parent=int(fields[_PPID]),
            arguments=tuple(arguments.decode(errors="replace").strip("\0").split("\0")),
            started=int(fields[_STARTED]),
        )
    except (OSError, ValueError, IndexError):
        return None
