"""Which workers HAProxy has: as its master lists them, or else by its processes."""

import asyncio
import os
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from drove_gateway.model.workers import Workers
from drove_gateway.proxies.haproxy.api import master
from drove_gateway.proxies.processes import PROC, Process, observe, processes


async def haproxy_workers(
    config: Path, master_socket: str, *, timeout: float, proc: Path = PROC
) -> Workers | None:
    """Return the workers of the HAProxy that runs with `config`; None if they cannot be seen."""
    if master_socket:
        try:
            listing = await master.processes(master_socket, timeout=timeout)
        except OSError:
            return None
        workers = listed_workers(listing)
        if workers is None:
            return None
        return await asyncio.to_thread(observe, *workers, proc)
    return await asyncio.to_thread(_workers, config, proc)


def listed_workers(listing: str) -> tuple[int, tuple[int, ...]] | None:
    """Return the number of current workers and the ids of old ones, from the master's reply to
    `show proc`; None if it has another form."""
    current, old, section = 0, [], ""
    for line in listing.splitlines():
        if line.startswith("#"):
            section = line.lstrip("# ").strip()
            continue
        fields = line.split()
        if len(fields) < 2 or not fields[0].isdecimal() or fields[1] != "worker":
            continue
        if section == "old workers":
            old.append(int(fields[0]))
        else:
            current += 1
    return (current, tuple(old)) if current or old else None


def _workers(config: Path, proc: Path) -> Workers | None:
    """The youngest process that is nobody's parent is the current worker, the others are old."""
    found = [each for each in processes(b"haproxy", proc) if _runs_with(each, config, proc)]
    masters = {process.parent for process in found}
    workers = _by_age([process for process in found if process.pid not in masters])
    if not workers:
        return None
    return observe(1, (worker.pid for worker in workers[:-1]), proc)


def _by_age(workers: Sequence[Process]) -> Sequence[Process]:
    return sorted(workers, key=lambda worker: (worker.started, worker.pid))


def _runs_with(process: Process, config: Path, proc: Path) -> bool:
    """Whether the process names the file, or its directory, in its command."""
    named = [Path(word) for option, word in pairwise(process.arguments) if option == "-f"]
    target = config.resolve()
    targets = {str(target), str(target.parent)}
    # Anyone may run a process that names a circle of links, which `Path.resolve` raises for.
    return any(os.path.realpath(_absolute(path, process, proc)) in targets for path in named)


def _absolute(path: Path, process: Process, proc: Path) -> Path:
    if path.is_absolute():
        return path
    try:
        return (proc / str(process.pid) / "cwd").readlink() / path
    except OSError:
        return path
