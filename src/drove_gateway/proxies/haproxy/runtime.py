"""The client of HAProxy's runtime API.

A batch is one connection: it always reaches the process that holds the socket now, never one that
a reload left behind. The commands go out in prompt mode, chained and pipelined, so that a batch
of thousands costs about as much as HAProxy needs for the commands themselves, and the prompt
separates the replies beyond doubt.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from drove_gateway.config.addresses import SocketAddress, UnixSocket
from drove_gateway.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.commands import Command
from drove_gateway.proxies.haproxy.replies import Verdict, refusal, split, verdict

# HAProxy's buffer is 16,384 bytes unless tuned; a line must fit in it.
_LONGEST_LINE = 15_000
_READ_BYTES = 1 << 17
# The states of 100,000 servers are about 10 MB; more is no answer of HAProxy's.
_MOST_BYTES = 64 << 20


class Metrics(Protocol):
    """What the client counts."""

    def haproxy_api_call(self, operation: str, ok: bool) -> None: ...
    def haproxy_runtime_api_duration(self, result: str, seconds: float) -> None: ...


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The answer to `command`. `verdict` is None where the text is not a known reply."""

    command: Command
    text: str
    verdict: Verdict | None

    def problem(self) -> RuntimeApiError:
        """The error that names command and reply."""
        return refusal(self.command, self.text)


class RuntimeApi:
    """Talks to the socket at `address`; HAProxy may be silent for `timeout` seconds at most."""

    def __init__(
        self,
        address: SocketAddress,
        *,
        timeout: float,
        clock: Callable[[], float],
        metrics: Metrics,
    ) -> None:
        self.address = address
        self._timeout = timeout
        self._clock = clock
        self._metrics = metrics

    async def run(self, commands: Sequence[Command]) -> list[Reply]:
        """Run `commands` in order; a refused one does not keep the later ones from running.

        Raises RuntimeApiError when the API cannot be reached, falls silent, or does not answer
        every command; then any of the commands may or may not have run.
        """
        if not commands:
            return []
        begin = self._clock()
        try:
            texts = split(await self._exchange(commands), commands)
        except RuntimeApiError:
            for command in commands:
                self._metrics.haproxy_api_call(command.operation, False)
            self._metrics.haproxy_runtime_api_duration("error", self._clock() - begin)
            raise
        replies = [self._judged(*pair) for pair in zip(commands, texts, strict=True)]
        self._metrics.haproxy_runtime_api_duration("success", self._clock() - begin)
        return replies

    async def ask(self, command: Command) -> str:
        """Run one command that only shows something. Raises RuntimeApiError as `run` does,
        and when the reply is not what the command shows."""
        (reply,) = await self.run([command])
        if reply.verdict is not Verdict.DONE:
            raise reply.problem()
        return reply.text

    def _judged(self, command: Command, text: str) -> Reply:
        try:
            found: Verdict | None = verdict(command, text)
        except RuntimeApiError:
            found = None
        self._metrics.haproxy_api_call(command.operation, found is Verdict.DONE)
        return Reply(command, text, found)

    async def _exchange(self, commands: Sequence[Command]) -> str:
        try:
            async with asyncio.timeout(self._timeout):
                reader, writer = await self._connect()
        except (OSError, ValueError) as error:
            raise RuntimeApiError(
                f"HAProxy's runtime API at {_shown(self.address)} cannot be reached: "
                f"{_reason(error)}; servers stay as they are, and it is tried again"
            ) from error
        try:
            lines = "\n".join(("prompt", *_chains(commands), "quit", ""))
            writer.write(lines.encode())
            return await self._read(reader)
        except (OSError, UnicodeDecodeError) as error:
            raise RuntimeApiError(
                f"HAProxy's runtime API at {_shown(self.address)} broke off while it answered "
                f"{len(commands)} commands: {_reason(error)}; the servers' state is read again"
            ) from error
        finally:
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        address = self.address
        if isinstance(address, UnixSocket):
            return await asyncio.open_unix_connection(address.path, limit=_READ_BYTES)
        return await asyncio.open_connection(address.host, address.port, limit=_READ_BYTES)

    async def _read(self, reader: asyncio.StreamReader) -> str:
        loop = asyncio.get_running_loop()
        received = bytearray()
        async with asyncio.timeout(self._timeout) as patience:
            while chunk := await reader.read(_READ_BYTES):
                received += chunk
                if len(received) > _MOST_BYTES:
                    raise OSError(f"it sent more than {_MOST_BYTES} bytes")
                patience.reschedule(loop.time() + self._timeout)
        return received.decode()


def _chains(commands: Sequence[Command]) -> Iterator[str]:
    """The commands in lines that fit HAProxy's buffer, joined by `;`."""
    line: list[str] = []
    length = 0
    for command in commands:
        size = len(command.text) + 1
        if line and length + size > _LONGEST_LINE:
            yield ";".join(line)
            line, length = [], 0
        line.append(command.text)
        length += size
    if line:
        yield ";".join(line)


def _shown(address: SocketAddress) -> str:
    if isinstance(address, UnixSocket):
        return address.path
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
