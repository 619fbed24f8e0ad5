"""A real HAProxy in master-worker mode, as an operator would run it."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path

from tests.waiting import until

from drove_gateway.proxies.haproxy.api import master


class Haproxy:
    """HAProxy with the files of one directory; `socket` is its runtime API.

    `others` are configuration files of the operator, which it loads too.
    """

    def __init__(self, program: Path, directory: Path) -> None:
        self.program = program
        self.config = directory / "haproxy.cfg"
        self.socket = directory / "admin.sock"
        self.master = directory / "master.sock"
        self.others: Sequence[Path] = ()
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start with the configuration file, and wait for the runtime API."""
        self._process = await asyncio.create_subprocess_exec(
            str(self.program),
            "-W",
            "-S",
            str(self.master),
            "-f",
            str(self.config),
            *(word for path in self.others for word in ("-f", str(path))),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        await until(self._responds)

    async def kill(self) -> None:
        """Kill master and workers at once."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        self._process = None

    async def reload(self) -> None:
        """Reload as an operator does, without the gateway."""
        await master.reload(str(self.master), timeout=20)

    async def say(self, command: str) -> str:
        """Return the response of the runtime API to `command`."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        try:
            writer.write(f"{command}\n".encode())
            return (await reader.read()).decode().strip()
        finally:
            writer.close()

    async def _responds(self) -> bool:
        assert self._process is not None
        assert self._process.returncode is None, "HAProxy ended"
        try:
            return (await self.say("show info")).startswith("Name: HAProxy")
        except OSError:
            return False
