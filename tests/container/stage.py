"""The entry point at work: a simulated cluster, a real proxy, and what an engine would see."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.traffic import free_port, get
from tests.waiting import until

from drove_gateway.demo.proxy import find_program
from drove_gateway.simulator import Options, Simulator

LEADER_VHOST = "drove.test"
PLATFORMS = ("nginx", "haproxy")
_LONGEST_SECONDS = 30
_EXECUTED_SECONDS = 2


class Container:
    """What an image would hold, in a directory: programs on the PATH and the entry point's files.

    `before` is a command that the entry point is run by, such as one that makes it process 1.
    """

    def __init__(self, platform: str, directory: Path, cluster: Simulator) -> None:
        self.platform = platform
        self.directory = directory
        self.cluster = cluster
        self.port, self.api_port = free_port(), free_port()
        self.before: tuple[str, ...] = ()
        self.output: list[str] = []
        self.process: asyncio.subprocess.Process | None = None
        self.environ = {
            "PATH": f"{directory}/bin:{os.environ['PATH']}",
            "PROXY_PLATFORM": platform,
            "DROVE_CONTROLLERS": ",".join(cluster.urls),
            "NGINX_DROVE_VHOST": LEADER_VHOST,
            "PROXY_HTTP_PORT": str(self.port),
            "GENERATION_PORT": str(free_port()),
            # The user who runs the tests; an image has the users that the templates name.
            "NGINX_USER": "none",
            "HAPROXY_USER": "none",
            "GATEWAY_LISTEN": f"127.0.0.1:{self.api_port}",
        }
        install(platform, directory / "bin")

    @property
    def command(self) -> tuple[str, ...]:
        options = ("--directory", f"{self.directory}/run", "--state", f"{self.directory}/state")
        return (sys.executable, "-m", "drove_gateway", "container", *options)

    async def start(self, **environ: str) -> None:
        """Start the entry point; both its streams are read as they come."""
        self.process = await asyncio.create_subprocess_exec(
            *self.before,
            *self.command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**self.environ, **environ},
            cwd=self.directory,
        )
        self._reading = asyncio.create_task(self._read(self.process.stdout))

    async def health(self) -> tuple[int, str]:
        """The exit code and the words of the health check."""
        process = await asyncio.create_subprocess_exec(
            *self.command,
            "--health",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=self.environ,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.supervisor, number)

    async def ended(self) -> int:
        """Wait for the end of the entry point and of all that it started; gives its exit code."""
        assert self.process is not None
        async with asyncio.timeout(_LONGEST_SECONDS):
            code = await self.process.wait()
            await self._reading
        return code

    async def answers(self, vhost: str, status: int = 200, path: str = "/") -> str:
        """Wait until clients of `vhost` get this status; gives the body."""
        response = (0, "nothing")

        async def so() -> bool:
            nonlocal response
            with contextlib.suppress(OSError):
                response = await get(self.port, vhost, path)
            return response[0] == status

        try:
            await until(so, _LONGEST_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"{vhost}: {response}\n{self.log}") from error
        return response[1]

    async def says(self, *texts: str) -> None:
        """Wait until the output has all of `texts`."""
        try:
            await until(lambda: all(text in self.log for text in texts), _LONGEST_SECONDS)
        except AssertionError as error:
            raise AssertionError(f"never says {texts}:\n{self.log}") from error

    @property
    def log(self) -> str:
        return "".join(self.output)

    @property
    def supervisor(self) -> int:
        """The entry point's pid, as this machine knows it."""
        assert self.process is not None
        return children(self.process.pid)[0] if self.before else self.process.pid

    def child(self, words: str) -> int:
        """The pid of the supervisor's child with `words` in its command line."""
        lines = self._command_lines()
        # A process that is being replaced by another program has none for a moment.
        deadline = time.monotonic() + _EXECUTED_SECONDS
        while not all(lines.values()) and time.monotonic() < deadline:
            time.sleep(0.01)
            lines = self._command_lines()
        found = [pid for pid, line in lines.items() if words in line]
        assert len(found) == 1, lines
        return found[0]

    def _command_lines(self) -> dict[int, str]:
        return {pid: command_line(pid) for pid in children(self.supervisor)}

    @property
    def gateway(self) -> int:
        return self.child("drove_gateway -f")

    @property
    def proxy(self) -> int:
        return self.child("nginx: master" if self.platform != "haproxy" else "haproxy -W")

    async def _read(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None and (line := await stream.readline()):
            self.output.append(line.decode(errors="replace"))

    async def cleared(self) -> None:
        """End everything, however it goes."""
        if self.process is None or self.process.returncode is not None:
            return
        everyone = descendants(self.process.pid)
        for pid in [self.process.pid, *everyone]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await self.ended()


@asynccontextmanager
async def container(platform: str, directory: Path) -> AsyncIterator[Container]:
    """A cluster with the app `web`, and a container that is not started yet."""
    async with Simulator(Options(vhost="{name}.test", control_port=None)) as cluster:
        await cluster.deploy("web", instances=2)
        made = Container(platform, directory, cluster)
        try:
            yield made
        finally:
            await made.cleared()


async def exit_code(*command: str) -> int:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL)
    return await process.wait()


def install(platform: str, directory: Path) -> None:
    """Put the proxy's program into `directory`. NGINX keeps its temporary files there."""
    directory.mkdir(exist_ok=True)
    program = find_program(platform, None)
    name = platform.removesuffix("-lua")
    prefix = f" -p {directory}" if name == "nginx" else ""
    script = directory / name
    script.write_text(f'#!/bin/sh\nexec {program}{prefix} "$@"\n')
    script.chmod(0o755)


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in _proc(pid, f"task/{pid}/children").split()]
    return []


def descendants(pid: int) -> list[int]:
    found = children(pid)
    return found + [below for child in found for below in descendants(child)]


def command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return _proc(pid, "cmdline").replace("\0", " ")
    return ""


def environment(pid: int) -> Mapping[str, str]:
    pairs = (line.partition("=") for line in _proc(pid, "environ").split("\0") if line)
    return {name: value for name, _, value in pairs}


def kill(pids: Sequence[int] | int) -> None:
    """As a crash does."""
    for pid in (pids,) if isinstance(pids, int) else pids:
        os.kill(pid, signal.SIGKILL)


def _proc(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text(errors="replace")
