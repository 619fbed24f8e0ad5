"""Real proxies as child processes, each with a configuration that serves nothing yet."""

import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from drove_gateway.demo.errors import DemoError
from drove_gateway.demo.processes import running
from drove_gateway.proxies.local import DemoPlace, LocalProxy
from drove_gateway.proxies.registry import DEMOS


def find_program(kind: str, given: Path | None) -> Path:
    """Return the proxy's program: `given`, else where its kind is, else from the PATH.

    Raises DemoError when the proxy is not installed.
    """
    if given is not None:
        return given
    in_demo = DEMOS[kind]
    program = _executable(in_demo.find) or shutil.which(kind)
    if program is None:
        raise DemoError(
            f"{kind} is not installed: run {in_demo.install}, or set the path by --program"
        )
    return Path(program)


@asynccontextmanager
async def running_proxy(
    kind: str, program: Path, directory: Path, *, port: int, proof: int
) -> AsyncIterator[LocalProxy]:
    """Run the proxy with its files in `directory` until the block ends.

    Once the gateway has written its configuration, the proxy serves clients at `port` and its
    generation at `proof`; until then it answers 503 at `proof`.
    """
    proxy, command = DEMOS[kind].prepare(DemoPlace(program, directory, port, proof))
    async with running(command, directory / f"{kind}.log") as process:
        yield msgspec.structs.replace(proxy, pid=process.pid)


def _executable(find: Callable[[], str]) -> str | None:
    try:
        path = Path(find())
    except (ImportError, FileNotFoundError, RuntimeError):
        return None
    if not os.access(path, os.X_OK):
        path.chmod(path.stat().st_mode | 0o111)
    return str(path)
