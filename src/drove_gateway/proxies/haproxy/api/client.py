"""The client of HAProxy's runtime API.

Each batch uses its own connection, so it always reaches the process that owns the socket now, never
a process that a reload left behind. The commands are sent in prompt mode, a line each and
pipelined, so that a batch of thousands costs little more than the commands themselves, and the
prompt separates the replies unambiguously. (Of commands that `;` joins to a line, HAProxy 3.4
separates the replies no longer.)
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import cast

import msgspec

from drove_gateway.config.addresses import SocketAddress, UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.haproxy.api.replies import (
    Verdict,
    prompts,
    refusal,
    split,
    verdict,
)
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.runtime.command_log import CommandLog
from drove_gateway.proxies.runtime.metrics import ApiMetrics

# The states of 100,000 servers are 11 MB with short names, and 20 MB with names of 60 characters.
_MOST_BYTES = 32 << 20
# A whole exchange may take as long as the silence that is allowed, and this much more: HAProxy
# runs 30,000 commands and sends 10 MB in a second.
_SECONDS_PER_COMMAND = 0.001
_SECONDS_PER_BYTE = 1e-6
# An API that did not respond in time is not waited for so long again, until it responds.
_SILENT_SECONDS = 1.0


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The reply to `command`. `verdict` is None if the text is not a known reply."""

    command: Command
    text: str
    verdict: Verdict | None

    def problem(self) -> RuntimeApiError:
        """Return an error that names command and reply."""
        return refusal(self.command, self.text)


class RuntimeApi:
    """Sends commands to the socket at `address`.

    At most `timeout` seconds may pass without a byte. A whole exchange may take as long, and a
    second more for each thousand commands and for each megabyte.
    """

    def __init__(
        self,
        address: SocketAddress,
        *,
        timeout: float,
        clock: Callable[[], float],
        metrics: ApiMetrics,
        log: EventLog,
    ) -> None:
        self.address = address
        self._timeout = timeout
        self._silent = False
        self._clock = clock
        self._metrics = metrics
        self._log = CommandLog("HAProxy", log)

    async def run(self, commands: Sequence[Command]) -> list[Reply]:
        """Run `commands` in order; a refused command does not stop those after it.

        Raises RuntimeApiError if the API cannot be reached, stops responding, or does not reply to
        every command; then any of the commands may or may not have run.
        """
        if not commands:
            return []
        begin = self._clock()
        try:
            texts = await self._texts(commands)
        except RuntimeApiError as error:
            for command in commands:
                self._metrics.call(command.operation, False)
            self._record(commands, False, begin, [str(error)] * len(commands))
            raise
        replies = [self._judged(*pair) for pair in zip(commands, texts, strict=True)]
        self._record(commands, True, begin, texts)
        return replies

    async def ask(self, command: Command) -> str:
        """Run a command that only shows something.

        Raises RuntimeApiError as `run` does, and if the reply is not what the command shows.
        """
        (reply,) = await self.run([command])
        if reply.verdict is not Verdict.DONE:
            raise reply.problem()
        return reply.text

    def _record(
        self, commands: Sequence[Command], ok: bool, begin: float, replies: Sequence[str]
    ) -> None:
        """Record the time since `begin` of a batch that changes servers, or only reads."""
        record, took = self._metrics.duration, self._clock() - begin
        if not any(command.changes for command in commands):
            record = self._metrics.read_duration
        record(ok, took)
        if self._log.enabled:
            for command, reply in zip(commands, replies, strict=True):
                self._log.write(command.text, reply, took)

    def _judged(self, command: Command, text: str) -> Reply:
        try:
            found: Verdict | None = verdict(command, text)
        except RuntimeApiError:
            found = None
        self._metrics.call(command.operation, found is Verdict.DONE)
        return Reply(command, text, found)

    async def _texts(self, commands: Sequence[Command]) -> list[str]:
        try:
            return split(await self._exchange(commands), commands)
        except UnicodeError as error:
            # Its exception has the whole output.
            raise RuntimeApiError(
                f"HAProxy's runtime API at {_shown(self.address)} sent something other than text: "
                f"{error.reason if isinstance(error, UnicodeDecodeError) else error}"
            ) from None
        except MemoryError as error:
            raise RuntimeApiError(
                f"there is not enough memory for the reply of HAProxy's runtime API at "
                f"{_shown(self.address)}"
            ) from error

    async def _exchange(self, commands: Sequence[Command]) -> bytearray:
        patience = min(self._timeout, _SILENT_SECONDS) if self._silent else self._timeout
        try:
            async with asyncio.timeout(patience):
                conversation = await self._connect(len(commands))
        except (OSError, ValueError) as error:
            self._silent = isinstance(error, TimeoutError)
            raise _unreachable(self.address, error) from error
        try:
            lines = ("prompt", *(command.lines for command in commands), "quit")
            output = await conversation.say(lines, patience, len(commands) * _SECONDS_PER_COMMAND)
        except OSError as error:
            self._silent = isinstance(error, TimeoutError)
            raise RuntimeApiError(
                f"HAProxy's runtime API at {_shown(self.address)} broke off during "
                f"{len(commands)} commands: {_reason(error)}; the gateway reads the servers again"
            ) from error
        self._silent = False
        return output

    async def _connect(self, commands: int) -> "_Conversation":
        loop = asyncio.get_running_loop()
        address, conversation = self.address, partial(_Conversation, commands)
        if isinstance(address, UnixSocket):
            return (await loop.create_unix_connection(conversation, address.path))[1]
        return (await loop.create_connection(conversation, address.host, address.port))[1]


class _Conversation(asyncio.Protocol):
    """Sends all lines and collects the output until the end.

    HAProxy sends thousands of small pieces, so the waiting task is woken only at the end. Output
    that is too long, or has more replies than there were `commands`, is refused while it arrives.
    """

    def __init__(self, commands: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        # A prompt follows each command, `prompt` itself included.
        self._prompts_left = commands + 1
        self._last = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._ended.done():
            return
        before = len(self._received)
        try:
            self._received += data
        except MemoryError as error:
            self._end(error)
            return
        self._last = self._loop.time()
        self._prompts_left -= prompts(self._received, before)
        if len(self._received) > _MOST_BYTES:
            self._end(OSError(f"it sent more than {_MOST_BYTES >> 20} MB"))
        elif self._prompts_left < 0:
            self._end(OSError("it sent more replies than there were commands"))

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(exc)

    async def say(self, lines: Iterable[str], timeout: float, more: float) -> bytearray:
        """Send `lines`, and return the output until the other side closes.

        Raises OSError if the connection breaks, TimeoutError after `timeout` seconds of silence,
        and when the whole takes longer than `timeout`, `more`, and what its length allows.
        """
        transport = cast("asyncio.Transport", self._transport)
        try:
            begin = self._last = self._loop.time()
            transport.write("".join(f"{line}\n" for line in lines).encode())
            while not self._ended.done():
                allowed = timeout + more + len(self._received) * _SECONDS_PER_BYTE
                patience = min(self._last + timeout, begin + allowed) - self._loop.time()
                if patience <= 0:
                    raise TimeoutError
                await asyncio.wait([self._ended], timeout=patience)
            self._ended.result()
            return self._received
        finally:
            transport.abort()
            # The exception of a failure keeps this object for a while.
            self._received = bytearray()

    def _end(self, problem: Exception | None) -> None:
        if self._ended.done():
            return
        if problem is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(problem)


def _unreachable(address: SocketAddress, error: Exception) -> RuntimeApiError:
    where = _shown(address)
    if isinstance(error, ConnectionRefusedError):
        return RuntimeApiError(
            f"HAProxy's runtime API at {where} cannot be reached: no process listens there. "
            "HAProxy does not run, so nobody is served; start it, then the gateway repairs its "
            "servers"
        )
    return RuntimeApiError(
        f"HAProxy's runtime API at {where} cannot be reached: {_reason(error)}; the gateway retries"
    )


def _shown(address: SocketAddress) -> str:
    if isinstance(address, UnixSocket):
        return address.path
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no reply in time"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
