"""Reloads over HAProxy's master socket, whose answer tells whether the new worker started."""

import asyncio

import msgspec

from drove_gateway.model.errors import CommandFailed, CommandTimeout, RuntimeApiError
from drove_gateway.proxies.installation.subprocess_runner import last_lines

_RESTART_SECONDS = 1.0
_PAUSE_SECONDS = 0.02


async def reload(socket: str, *, timeout: float) -> None:
    """Make the master process load its configuration anew, and wait for the new worker.

    HAProxy before 2.7 closes the connection without an answer, and whether the new worker serves
    is left to the generation's proof. Raises CommandFailed when the master cannot be reached or
    refuses (the old worker goes on), CommandTimeout when it does not answer in `timeout` seconds,
    RuntimeApiError when the answer is none that a master gives.
    """
    try:
        async with asyncio.timeout(timeout):
            answer = await _ask(socket)
    except TimeoutError as error:
        raise CommandTimeout(
            f"HAProxy's master socket {socket} did not answer `reload` within {timeout:g} s"
        ) from error
    except OSError as error:
        raise CommandFailed(
            f"HAProxy's master socket {socket} cannot be reached: {error.strerror or error}; is "
            "HAProxy running in master-worker mode with `-S`, and may this user open the socket?"
        ) from error
    if answer.first in ("Success=1", ""):
        return
    if answer.first == "Success=0":
        raise CommandFailed(
            f"HAProxy did not take the configuration, its old worker goes on: "
            f"{last_lines(answer.log)}",
            output=answer.log,
        )
    raise RuntimeApiError(
        f"HAProxy's master socket {socket} answers {answer.first[:200]!r} to `reload`"
    )


class _Answer(msgspec.Struct, frozen=True):
    """The first line, which tells, and the log behind it, which is read only for a failure."""

    first: str
    log: str = ""


async def _connect(socket: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Connect; the master executes itself anew at each reload and refuses for that moment."""
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


async def _ask(socket: str) -> _Answer:
    reader, writer = await _connect(socket)
    try:
        writer.write(b"reload\n")
        writer.write_eof()
        first = (await _first_line(reader)).decode(errors="replace").strip()
        if first in ("Success=1", ""):
            return _Answer(first)
        return _Answer(first, (await reader.read()).decode(errors="replace"))
    except ValueError as error:
        raise OSError("its answer is longer than a line") from error
    finally:
        writer.close()
