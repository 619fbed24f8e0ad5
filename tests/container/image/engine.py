"""Runs an image's root as an engine would: process 1 of its own namespaces, a user, no rights."""

import asyncio
import fcntl
import os
import re
import shlex
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.container.dockerfile import FILE, stages
from tests.container.stage import children, descendants
from tests.waiting import until

FINAL = stages(FILE.read_text())[-1]
_SECONDS = 60
_TMPFS = ("/tmp", "/run")


class Running:
    """A container that was started. `pid` is its process 1, as this machine knows it."""

    def __init__(self, process: asyncio.subprocess.Process, environ: Sequence[str]) -> None:
        self.process = process
        self.environ = environ
        self.output: list[str] = []

    @property
    def pid(self) -> int:
        (pid,) = children(self.process.pid)
        return pid

    @property
    def log(self) -> str:
        return "".join(self.output)

    async def execute(self, *command: str) -> tuple[int, str]:
        """As `docker exec`: the exit code and what it printed."""
        enter = ("nsenter", "--target", str(self.pid), "--pid", "--mount", "--root", "--wd=/")
        process = await asyncio.create_subprocess_exec(
            *(*enter, "env", "-i", *self.environ, *command),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    async def stop(self) -> int:
        """As `docker stop`: gives the exit code."""
        os.kill(self.pid, signal.SIGTERM)
        async with asyncio.timeout(_SECONDS):
            return await self.process.wait()

    async def says(self, text: str) -> None:
        try:
            await until(lambda: text in self.log, _SECONDS)
        except AssertionError as error:
            raise AssertionError(f"never says {text}:\n{self.log}") from error


@asynccontextmanager
async def run(
    root: Path,
    platform: str,
    environ: Mapping[str, str],
    *,
    volumes: Mapping[Path, str] | None = None,
    read_only: bool = False,
    user: str = "",
) -> AsyncIterator[Running]:
    """As `docker run --network host`: with what the Dockerfile declares, and without any
    capability. `volumes` are mounted read-only; read_only mounts the root so, with tmpfs."""
    variables = [f"{name}={value}" for name, value in {**_declared(platform), **environ}.items()]
    identity = user or FINAL.only("USER").value
    script = "\n".join(
        [*_mounts(root, volumes or {}, read_only), _start(root, identity, variables)]
    )
    reading, writing = os.pipe()
    # An engine gives the streams to the container's user.
    os.fchown(writing, int(identity.partition(":")[0]), -1)
    process = await asyncio.create_subprocess_exec(
        *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child"),
        *("sh", "-ec", script),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=writing,
        stderr=writing,
    )
    os.close(writing)
    running = Running(process, variables)
    task = asyncio.create_task(_read(reading, running.output))
    try:
        yield running
    finally:
        if process.returncode is None:
            for pid in [*descendants(process.pid), process.pid]:
                os.kill(pid, signal.SIGKILL)
            await process.wait()
        await task


def _mounts(root: Path, volumes: Mapping[Path, str], read_only: bool) -> list[str]:
    """A script that mounts what an engine mounts; tmpfs with the mode of what it covers."""
    lines = [f"mount --bind {root} {root}", f"mount -t proc proc {root}/proc"]
    lines += [f"mount --rbind /dev {root}/dev"]
    state = FINAL.only("VOLUME").value
    lines += [f"mount --bind {root}{state} {root}{state}"]
    for source, target in volumes.items():
        place = f"{root}{target}"
        lines += [f"mkdir -p {place}", f"mount --bind {source} {place}"]
        lines += [f"mount -o remount,bind,ro {place}"]
    if read_only:
        lines += [f"mount -o remount,bind,ro {root}"]
        for path in _TMPFS:
            lines += [f"mode=$(stat -c %a {root}{path})"]
            lines += [f"mount -t tmpfs -o noexec,nosuid,nodev,mode=$mode tmpfs {root}{path}"]
    return lines


def _start(root: Path, identity: str, variables: Sequence[str]) -> str:
    uid, _, gid = identity.partition(":")
    rights = ("--bounding-set=-all", "--inh-caps=-all", "--no-new-privs") if int(uid) else ()
    command = (
        *("chroot", str(root), "setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups"),
        *(*rights, "env", "-i", *variables, *FINAL.only("ENTRYPOINT").array()),
    )
    return f"exec {shlex.join(command)}"


def _declared(platform: str) -> dict[str, str]:
    """The Dockerfile's ENV, with what it builds upon."""
    pairs = re.findall(r"(\w+)=(\S+)", FINAL.only("ENV").value)
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        name: value.replace("$PATH", path).replace("${PROXY}", platform) for name, value in pairs
    }


async def _read(reading: int, output: list[str]) -> None:
    fcntl.fcntl(reading, fcntl.F_SETFL, os.O_NONBLOCK)
    stream = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reading, "rb", buffering=0)
    )
    while line := await stream.readline():
        output.append(line.decode(errors="replace"))
    transport.close()
