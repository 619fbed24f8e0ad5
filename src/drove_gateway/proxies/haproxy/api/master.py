"""HAProxy's master socket: reload, whose reply tells whether the new worker started, and list the
worker processes."""

import asyncio

import msgspec

from drove_gateway.model.errors import CommandFailed, CommandTimeout, RuntimeApiError
from drove_gateway.model.wording import printable
from drove_gateway.proxies.installation.subprocess_runner import last_lines

_RESTART_SECONDS = 1.0
_PAUSE_SECONDS = 0.02
# Its log names each fault of a configuration; more is not shown anyway.
_LONGEST_LOG = 1 << 20


async def reload(socket: str, *, timeout: float) -> None:
    """Make the master process load its configuration again, and wait for the new worker.

    HAProxy before 2.7 closes the connection without a reply; then only the proof of the generation
    shows whether the new worker serves. Raises CommandFailed if the master cannot be reached or
    refuses (the old worker keeps serving), CommandTimeout if it does not reply within `timeout`
    seconds, RuntimeApiError if the reply is unknown.
    """
    try:
        async with asyncio.timeout(timeout):
            reply = await _ask(socket)
    except TimeoutError as error:
        raise CommandTimeout(
            f"HAProxy's master socket {socket} did not reply to `reload` within {timeout:g} s"
        ) from error
    except ConnectionRefusedError as error:
        raise CommandFailed(
            f"HAProxy's master process does not run: nothing listens at {socket}, so the "
            "configuration cannot be loaded, and nobody is served unless a worker is left; "
            "start HAProxy"
        ) from error
    except OSError as error:
        raise CommandFailed(
            f"HAProxy's master socket {socket} cannot be reached: {error.strerror or error}; "
            "check that HAProxy runs in master-worker mode with `-S` and that this user may open "
            "the socket"
        ) from error
    if reply.first in ("Success=1", ""):
        return
    if reply.first == "Success=0":
        raise CommandFailed(
            f"HAProxy did not accept the configuration, its old worker keeps serving: "
            f"{last_lines(reply.log)}",
            output=reply.log,
        )
    raise RuntimeApiError(
        f"HAProxy's master socket {socket} replied {printable(reply.first, 200)!r} to `reload`"
    )


async def processes(socket: str, *, timeout: float) -> str:
    """Return the master's reply to `show proc`. Raises OSError, also after `timeout` seconds."""
    async with asyncio.timeout(timeout):
        reader, writer = await asyncio.open_unix_connection(socket)
        try:
            writer.write(b"show proc\n")
            writer.write_eof()
            return await _log(reader)
        finally:
            writer.close()


class _Reply(msgspec.Struct, frozen=True):
    """The first line, which shows the result, and the log, which is read only after a failure."""

    first: str
    log: str = ""


async def _connect(socket: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect. The master re-executes itself at each reload and refuses connections meanwhile."""
    loop = asyncio.get_running_loop()
    patience = loop.time() + _RESTART_SECONDS
    while True:
        try:
            return await asyncio.open_unix_connection(socket)
        except ConnectionRefusedError:
            if loop.time() > patience:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)


async def _first_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except ConnectionResetError:
        return b""


async def _log(reader: asyncio.StreamReader) -> str:
    """Read to the end, or as much as is of use."""
    log = b""
    while len(log) < _LONGEST_LOG and (piece := await reader.read(_LONGEST_LOG)):
        log += piece
    return log[:_LONGEST_LOG].decode(errors="replace")


async def _ask(socket: str) -> _Reply:
    reader, writer = await _connect(socket)
    try:
        writer.write(b"reload\n")
        writer.write_eof()
        first = (await _first_line(reader)).decode(errors="replace").strip()
        if first in ("Success=1", ""):
            return _Reply(first)
        return _Reply(first, await _log(reader))
    except ValueError as error:
        raise OSError("its reply is longer than a line") from error
    finally:
        writer.close()
