"""One file that runs where there is no Python."""

import asyncio
import os
import shutil
import signal
import subprocess
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.daemon.systemd.listener import Listener
from tests.packaging.machine import Root, done, run
from tests.waiting import until

from drove_gateway.cli import main
from drove_gateway.demo.processes import free_ports
from drove_gateway.simulator import Simulator
from drove_gateway.templates import NAMES, shipped


def test_it_tells_version_commit_and_date(binary: Path) -> None:
    output = dict(line.split(": ") for line in done(binary, "-v", env={}).splitlines())

    assert list(output) == ["version", "commit", "date"]
    assert "unknown" not in output.values()


@pytest.mark.parametrize("command", main.list_commands(None))  # type: ignore[arg-type]
def test_every_command_is_there(binary: Path, command: str) -> None:
    assert command in done(binary, command, "--help", env={})


@pytest.mark.parametrize("name", NAMES)
def test_every_template_is_there(binary: Path, name: str) -> None:
    assert done(binary, "template", name, env={}) == shipped(name)


def test_exit_codes_come_through(binary: Path) -> None:
    assert run(binary, "-f", "/nowhere.toml", env={}).returncode == 1
    assert run(binary, "no-such-command", env={}).returncode == 2


def test_a_temporary_directory_without_leave_to_execute_is_an_error_and_can_be_changed(
    binary: Path, short_directory: Path
) -> None:
    mounted = f"mount -t tmpfs -o noexec none {short_directory} && export TMPDIR={short_directory}"
    ended = run("unshare", "-m", "sh", "-c", f"{mounted} && {binary} -v")

    assert ended.returncode != 0
    assert "failed to map segment from shared object" in ended.stdout
    assert "version: " in done("unshare", "-m", "sh", "-c", f"{mounted}; TMPDIR=/tmp {binary} -v")


@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
def test_the_demo_holds_in_a_bare_root_with_an_empty_environment(
    binary: Path, root: Root, nginx: Path, proxy: str
) -> None:
    assert root.run("sh", "-c", "command -v python3 python").returncode != 0
    program = root.take(binary, "/usr/local/bin/")
    root.take(nginx, "/usr/local/bin/")
    path = {"haproxy": "/usr/sbin/haproxy", "nginx": "/usr/local/bin/nginx"}[proxy]

    output = root.done(program, "demo", "--proxy", proxy, "--program", path, "--once", env={})

    assert output.count(" ok ") == 8
    assert "FAILED" not in output


class Daemon:
    """The one file as a daemon that waits for a controller, unpacked below `directory`."""

    def __init__(self, process: Process, directory: Path) -> None:
        self.process = process
        self.directory = directory

    def unpacked(self) -> list[Path]:
        """The directories that it unpacked itself into."""
        return list(self.directory.glob("_MEI*"))

    async def ended(self) -> int:
        """Wait for its exit code."""
        async with asyncio.timeout(20):
            return await self.process.wait()

    def running(self) -> bool:
        """Whether any process still has its configuration file on the command line."""
        wanted = os.fsencode(self.directory / "nixy.toml")
        return any(wanted in line for line in map(_command_line, Path("/proc").glob("[0-9]*")))


def _command_line(process: Path) -> bytes:
    try:
        return (process / "cmdline").read_bytes()
    except OSError:
        return b""


@asynccontextmanager
async def daemon(
    binary: Path, directory: Path, cluster: Simulator, **environ: str
) -> AsyncIterator[Daemon]:
    """The daemon in front of a proxy that leaves its environment in a file."""
    checks = directory / "proxy"
    environment = directory / "environment"
    checks.write_text(f"#!/bin/sh\nenv > {environment}.new && mv {environment}.new {environment}\n")
    checks.chmod(0o755)
    (directory / "t.tmpl").write_text("x")
    config = directory / "nixy.toml"
    config.write_text(
        f'port = {free_ports()}\nstate_persistence_dir = "{directory}/state"\n'
        f'nginx_cmd = "{checks}"\nnginx_config = "{directory}/n.conf"\n'
        f'nginx_template = "{directory}/t.tmpl"\n[[namespaces]]\nname = "n"\n'
        f'drove = ["{cluster.urls[0]}"]\n'
    )
    with (directory / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            "sh",
            "-c",
            f'WATCHDOG_PID=$$ exec "{binary}" -f {config}',
            env={"TMPDIR": str(directory), **environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    found = Daemon(process, directory)
    try:
        await until(environment.exists)
        yield found
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await until(lambda: not found.running())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_signals_reach_it_and_nothing_is_left(
    binary: Path, short_directory: Path, cluster: Simulator, number: signal.Signals
) -> None:
    async with daemon(binary, short_directory, cluster) as started:
        assert started.unpacked()
        started.process.send_signal(signal.SIGHUP)
        await until(lambda: "SIGHUP" in (short_directory / "log").read_text())
        started.process.send_signal(number)
        assert await started.ended() == 0

    assert not started.unpacked()


async def test_killing_it_ends_all_of_it_and_leaves_nothing(
    binary: Path, short_directory: Path, cluster: Simulator
) -> None:
    async with daemon(binary, short_directory, cluster) as started:
        started.process.kill()
        assert await started.ended() == -signal.SIGKILL
        await until(lambda: not started.running())
        await until(lambda: not started.unpacked())


async def test_the_proxys_commands_get_the_environment_that_it_was_given(
    binary: Path, short_directory: Path, cluster: Simulator
) -> None:
    async with daemon(binary, short_directory, cluster, LD_LIBRARY_PATH="/given"):
        lines = (short_directory / "environment").read_text().splitlines()

    assert "LD_LIBRARY_PATH=/given" in lines
    assert not [line for line in lines if "_MEI" in line or line.startswith("_PYI")]


async def test_systemd_hears_of_readiness_and_life(
    binary: Path, short_directory: Path, cluster: Simulator
) -> None:
    listener = Listener(f"{short_directory}/notify")
    environment = {"NOTIFY_SOCKET": listener.address, "WATCHDOG_USEC": "200000"}
    async with daemon(binary, short_directory, cluster, **environment):
        await listener.hears("STATUS=")
        await listener.hears("WATCHDOG=1")
    listener.close()


def test_it_is_one_file_and_finds_nothing_else(binary: Path, short_directory: Path) -> None:
    alone = shutil.copy2(binary, short_directory / "nixy")

    assert done(alone, "--help", env={}, cwd=short_directory).startswith("Usage: nixy ")
