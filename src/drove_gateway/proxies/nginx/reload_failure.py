"""Why NGINX was not told to reload: its pid file is missing or names another process.

`nginx -s reload` finds the master process by that file alone, and prints only that it cannot be
opened, whether NGINX runs or not.
"""

import asyncio
import re
from pathlib import Path

from drove_gateway.proxies.nginx.workers import running_master
from drove_gateway.proxies.processes import PROC

_MISSING = re.compile(r'\[error\] \S+ open\(\) "([^"]+)" failed')
_UNREADABLE = re.compile(r'invalid PID number "[^"]*" in "([^"]+)"')
_NO_PROCESS = re.compile(r"kill\((\d+), \d+\) failed \(3:")


async def reload_failure(output: str, config: Path, proc: Path = PROC) -> str:
    """Return what to do when `nginx -s reload` printed `output`; empty where the pid file is not
    the reason."""
    if found := _MISSING.search(output):
        wrong = f"its pid file {found[1]} cannot be read"
    elif found := _UNREADABLE.search(output):
        wrong = f"its pid file {found[1]} has no process id"
    elif found := _NO_PROCESS.search(output):
        wrong = f"its pid file names process {found[1]}, which does not run"
    else:
        return ""
    master = await asyncio.to_thread(running_master, config, proc)
    if master is None:
        return (
            f"NGINX was not reloaded: {wrong}, and no NGINX that runs with this configuration is "
            "found on this machine. If it does not run, nobody is served: start it. If it runs, "
            "make its pid file available, or restart it"
        )
    return (
        f"NGINX runs as process {master} and serves what it loaded last, but was not reloaded: "
        f"{wrong}. Write {master} to the pid file, or restart NGINX"
    )
