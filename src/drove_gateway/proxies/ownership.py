"""One gateway drives a proxy. A second would undo the first one's changes, so it is refused.

The owner holds a lock on a file beside the proxy's configuration, which the kernel releases when
the process ends, however it ends. Containers that share the directory see it too.
"""

import asyncio
import errno
import fcntl
import hashlib
import os
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import ConfigError
from drove_gateway.model.wording import printable

# After a restart, the process before may still finish its last step.
_PATIENCE_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_LONGEST_OWNER = 100
_TAKEN = frozenset({errno.EAGAIN, errno.EADDRINUSE})
_DRIVES = "drives the proxy with"
_REMEDY = "two would undo each other's changes. Stop it, or drive another proxy"


async def own_api(
    identity: str,
    stack: AsyncExitStack,
    *,
    patience: float = _PATIENCE_SECONDS,
) -> None:
    """Become the only gateway on this machine that drives the proxy `identity` by its API alone.

    There is no file to lock then, so a name in the kernel is taken that vanishes with the process.
    Raises ConfigError when another gateway has it.
    """
    name = f"\0drove-gateway {hashlib.sha256(identity.encode()).hexdigest()}"
    holder = stack.enter_context(socket.socket(socket.AF_UNIX))
    try:
        await _until_free(lambda: holder.bind(name), patience)
    except OSError as error:
        if error.errno in _TAKEN:
            raise ConfigError(
                (f"another drove-gateway {_DRIVES} {identity}; {_REMEDY}",)
            ) from error


async def own(
    target: Path,
    host_name: str,
    stack: AsyncExitStack,
    log: EventLog,
    *,
    patience: float = _PATIENCE_SECONDS,
) -> None:
    """Become the only gateway that writes `target`, until `stack` is closed.

    Raises ConfigError, naming the owner, when another gateway is. Where no lock is possible, for
    example on a file system without locks, a warning is logged.
    """
    path = target.parent / f".{target.name}.drove-gateway.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
    except OSError as error:
        log.write(LogEvent.OWNERSHIP_UNKNOWN, error=str(error))
        return
    stack.callback(os.close, descriptor)
    try:
        flags = fcntl.LOCK_EX | fcntl.LOCK_NB
        await _until_free(lambda: fcntl.flock(descriptor, flags), patience)
    except BlockingIOError as error:
        owner = printable(os.pread(descriptor, _LONGEST_OWNER, 0).decode(errors="replace"), 100)
        problem = (
            f"another drove-gateway ({owner or 'unknown process'}) {_DRIVES} {target}; {_REMEDY}"
        )
        raise ConfigError((problem,)) from error
    except OSError as error:
        log.write(LogEvent.OWNERSHIP_UNKNOWN, error=str(error))
        return
    # A full disk takes only the name, and must not prevent a start.
    with suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {host_name}".encode()[:_LONGEST_OWNER], 0)


async def _until_free(take: Callable[[], None], patience: float) -> None:
    """Call `take` until it succeeds. Raises its OSError once `patience` has passed."""
    loop = asyncio.get_running_loop()
    end = loop.time() + patience
    while True:
        try:
            take()
        except OSError as error:
            if error.errno not in _TAKEN or loop.time() > end:
                raise
        else:
            return
        await asyncio.sleep(_PAUSE_SECONDS)
