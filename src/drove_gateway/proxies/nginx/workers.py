"""Which workers NGINX has: children of its master, which say in their title what they do."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path

from drove_gateway.files.regular import read_regular
from drove_gateway.model.workers import Workers
from drove_gateway.proxies.processes import PROC, Process, observe, processes

PID_FILE = re.compile(r"^\s*pid\s+[\"']?([^\"';\s]+)[\"']?\s*;", re.MULTILINE)
_OPENING = 1 << 16
"""Characters; the directive `pid` comes before the blocks."""


_LONGEST_ID = 100


async def nginx_workers(config: Path, proc: Path = PROC) -> Workers | None:
    """Return the workers of the NGINX that runs with `config`; None if they cannot be seen."""
    return await asyncio.to_thread(_workers, config, proc)


def running_master(config: Path, proc: Path = PROC) -> int | None:
    """Return the id of the master process of the NGINX that runs with `config`; None if it cannot
    be seen."""
    master = _master(tuple(processes(b"nginx: ", proc)), config)
    return master.pid if master is not None else None


def _workers(config: Path, proc: Path) -> Workers | None:
    found = tuple(processes(b"nginx: ", proc))
    master = _master(found, config)
    if master is None:
        return None
    children = [process for process in found if process.parent == master.pid]
    workers = [child for child in children if child.title.startswith("nginx: worker process")]
    old = [worker.pid for worker in workers if "is shutting down" in worker.title]
    return observe(len(workers) - len(old), old, proc)


def _master(found: Iterable[Process], config: Path) -> Process | None:
    """Return the master with the id in the pid file, or whose command names `config`, or the only
    master there is."""
    pid = _master_id(config)
    masters = [process for process in found if process.title.startswith("nginx: master process")]
    by_id = [master for master in masters if master.pid == pid]
    by_file = [master for master in masters if str(config) in master.title.split()]
    candidates = by_id or by_file or masters
    return candidates[0] if len(candidates) == 1 else None


def _master_id(config: Path) -> int | None:
    """Return the id in the file that the configuration names with `pid`."""
    try:
        with config.open(errors="replace") as file:
            named = PID_FILE.search(file.read(_OPENING))
        return int(read_regular(Path(named[1]), _LONGEST_ID)) if named else None
    except (OSError, ValueError):
        return None
