"""Child processes and the ports that they listen on."""

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from drove_gateway.demo.errors import DemoError

_STOP_SECONDS = 10.0
_PORTS_TO_TRY = 200
# The system takes ports above these for outgoing connections: they would not stay free.
_QUIET_PORTS = (10_000, 32_000)


async def start(
    command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """Start `command` in a session of its own. Append what it prints to `log`.

    A terminal's signals, such as Ctrl-C, reach only this program, which then stops its children in
    order. Raises OSError when the program cannot be started.
    """
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, **(environ or {})},
        )


async def stop(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end. Kill it when it does not end within 10 seconds."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def running(
    command: Sequence[str], log: Path, environ: Mapping[str, str] | None = None
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a process until the block ends. See `start`."""
    process = await start(command, log, environ)
    try:
        yield process
    finally:
        await stop(process)


@contextmanager
def claimed_port(preferred: int) -> Iterator[int]:
    """Give a free TCP port of the loopback interface: `preferred`, or the next free port.

    No other demo on this machine gets it before the block ends, also while nothing listens on it
    yet. Raises DemoError when 200 ports in a row are taken.
    """
    for port in range(preferred, preferred + _PORTS_TO_TRY):
        with socket.socket(socket.AF_UNIX) as claim:
            try:
                # An abstract name: it ends with the process, whatever that ends by.
                claim.bind(f"\0drove-gateway-demo-port-{port}")
            except OSError:
                continue
            if _is_free(port):
                yield port
                return
    raise DemoError(f"no free port from {preferred} to {preferred + _PORTS_TO_TRY - 1}")


def free_ports(count: int = 1) -> int:
    """Return the first of `count` neighbouring free loopback ports, chosen at random.

    The system gives none of them to an outgoing connection, so they are still free when a process
    binds them a moment later. Raises DemoError when there are none.
    """
    for _ in range(_PORTS_TO_TRY):
        first = random.randrange(*_QUIET_PORTS)  # noqa: S311 - not a secret
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise DemoError(f"no {count} neighbouring ports are free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True
