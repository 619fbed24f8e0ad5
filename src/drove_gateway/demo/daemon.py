"""The gateway's daemon as a child process: its configuration, its log, and what it reports."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from drove_gateway.demo.clients import until
from drove_gateway.demo.errors import DemoError
from drove_gateway.demo.processes import start, stop

_START_SECONDS = 30.0
_ANSWER_SECONDS = 2.0
_LAST_LINES = 25


def this_program() -> tuple[str, ...]:
    """Return the command that runs this very program, installed or as a single file."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    return (sys.executable, "-m", "drove_gateway")


def nixy_toml(
    settings: Mapping[str, object],
    *,
    namespace: str,
    urls: Sequence[str],
    leader_vhost: str = "",
) -> str:
    """Return the text of a nixy.toml with these settings and one namespace."""
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    lines += ["[[namespaces]]", f"name = {json.dumps(namespace)}"]
    lines.append(f"drove = {json.dumps(list(urls))}")
    if leader_vhost:
        lines.append(f"leader_vhost = {json.dumps(leader_vhost)}")
    return "\n".join(lines) + "\n"


class Daemon:
    """A gateway that reads `directory/nixy.toml`, reports at `api`, and writes to `log_file`."""

    def __init__(self, directory: Path, api: str, environ: Mapping[str, str]) -> None:
        self.config = directory / "nixy.toml"
        self.log_file = directory / "gateway.log"
        self.api = api
        self.command: tuple[str, ...] = ()
        self._environ = environ
        self._process: asyncio.subprocess.Process | None = None

    async def start(self, command: Sequence[str] = ()) -> None:
        """Start the gateway: this program, or `command`, which must take `-f FILE`."""
        self.command = tuple(command) or this_program()
        self._process = await start(
            (*self.command, "-f", str(self.config)), self.log_file, self._environ
        )

    @property
    def running(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._process is not None and self._process.returncode is None

    @property
    def is_this_program(self) -> bool:
        """Whether it was started by the usual command, not by one that a caller chose."""
        return self.command == this_program()

    @property
    def pid(self) -> int:
        return self._started().pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process."""
        self._started().send_signal(number)

    async def ended(self) -> int:
        """Wait until the process has ended. Return its exit code."""
        return await self._started().wait()

    async def stop(self) -> int:
        """End the process as systemd does. Return its exit code."""
        await stop(self._started())
        return await self.ended()

    async def kill(self) -> None:
        """End the process by SIGKILL."""
        if self.running:
            self.signal(signal.SIGKILL)
            await self.ended()

    @property
    def log(self) -> list[str]:
        """The lines that the gateway has logged."""
        return self.log_file.read_text(errors="replace").splitlines(keepends=True)

    def tail(self) -> str:
        """The end of the log."""
        return "".join(self.log[-_LAST_LINES:])

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Return status and content of a GET. The status is 0 while the API does not respond."""
        limit = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.get(self.api + path) as response,
            ):
                return response.status, await response.json()
        except (aiohttp.ClientError, TimeoutError, OSError):
            return 0, {}

    async def healthy(self) -> bool:
        """Whether `/v1/health` reports 200: the gateway has applied the desired state."""
        return (await self.get("/v1/health"))[0] == 200

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise DemoError("the gateway was not started")
        return self._process


@asynccontextmanager
async def running_daemon(daemon: Daemon) -> AsyncIterator[None]:
    """Run the daemon until the block ends. Raises DemoError when it does not become healthy."""

    async def decided() -> bool:
        return not daemon.running or await daemon.healthy()

    await daemon.start()
    try:
        if not await until(decided, _START_SECONDS) or not daemon.running:
            raise DemoError(f"the gateway does not become healthy:\n{daemon.log_file.read_text()}")
        yield
    finally:
        await daemon.stop()
