"""`drove-gateway simulate` as a process."""

import asyncio
import random
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import click
import pytest
from click.testing import CliRunner
from tests.simulator.client import Client

from drove_gateway.cli.simulate import parse_recovering, simulate

PROGRAM = "from drove_gateway.cli.simulate import simulate; simulate()"


def free_ports(count: int) -> int:
    """The first of `count` consecutive ports that are free now."""
    for port in random.sample(range(21_000, 32_000, count), 100):
        try:
            for number in range(port, port + count):
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", number))
        except OSError:
            continue
        return port
    raise AssertionError("no free ports")


class Running:
    """The process, and what it printed when it was ready."""

    def __init__(self, process: Process, printed: str) -> None:
        self.process = process
        self.printed = printed

    @property
    def control(self) -> str:
        [url] = re.findall(r"control API +(\S+)", self.printed)
        return str(url)

    @property
    def controllers(self) -> list[str]:
        return re.findall(r"controller \d+ +(\S+)", self.printed)


Start = Callable[..., AbstractAsyncContextManager[Running]]


@pytest.fixture
def start() -> Start:
    @asynccontextmanager
    async def run(*arguments: str) -> AsyncIterator[Running]:
        port = free_ports(6)
        ports = ("--port", str(port), "--control-port", str(port + 5))
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, *ports, *arguments, stdout=PIPE
        )
        assert process.stdout is not None
        try:
            ready = await asyncio.wait_for(process.stdout.readuntil(b"Ctrl-C ends it.\n"), 30)
            yield Running(process, ready.decode())
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()

    return run


async def test_it_says_what_runs_where_and_what_to_try(client: Client, start: Start) -> None:
    async with start("--apps", "2", "--instances", "3", "--vhost", "{name}.example.org") as running:
        assert len(running.controllers) == 3
        first = int(running.controllers[0].rsplit(":", 1)[1])
        assert running.controllers[2].endswith(f":{first + 2}")
        got = await client.url(f"{running.controllers[0]}/apis/v1/endpoints")
        assert [app["vhost"] for app in got.data] == ["app1.example.org", "app2.example.org"]
        assert [len(app["hosts"]) for app in got.data] == [3, 3]
        host = got.data[0]["hosts"][0]
        assert f"app1.example.org: {host['host']}:{host['port']}" in running.printed


async def test_the_printed_commands_work(start: Start) -> None:
    async with start("--apps", "1") as running:
        for line in re.findall(r"^  (curl .+?)(?:   .*)?$", running.printed, re.MULTILINE):
            process = await asyncio.create_subprocess_shell(f"{line} -sf", stdout=PIPE)
            printed, _ = await asyncio.wait_for(process.communicate(), 30)
            assert process.returncode == 0, (line, printed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_it_ends_cleanly(start: Start, number: signal.Signals) -> None:
    async with start("--addresses", "--apps", "1000", "--instances", "10") as running:
        running.process.send_signal(number)
        last, _ = await asyncio.wait_for(running.process.communicate(), 30)
        assert running.process.returncode == 0
        assert last == b"The simulated cluster has ended.\n"


async def test_secrets_are_wanted_and_not_printed(client: Client, start: Start) -> None:
    async with start("--user", "guest", "--password", "hush-hush") as running:
        assert "hush-hush" not in running.printed
        assert (await client.url(f"{running.controllers[0]}/apis/v1/ping")).status == 401
        assert (await client.url(f"{running.control}/state")).status == 200


def test_a_taken_port_is_an_error_and_not_a_traceback() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        got = CliRunner().invoke(simulate, ["--port", str(taken.getsockname()[1])])
    assert got.exit_code == 1
    assert "cannot listen" in got.output


@pytest.mark.parametrize(("value", "seconds"), [("real", 1.5), ("0", 0.0), ("2.5", 2.5)])
def test_recovering_is_real_or_seconds(value: str, seconds: float) -> None:
    assert parse_recovering(click.Context(simulate), simulate.params[0], value) == seconds


@pytest.mark.parametrize("value", ["soon", "-1", "inf", "nan"])
def test_recovering_is_nothing_else(value: str) -> None:
    got = CliRunner().invoke(simulate, ["--recovering", value])
    assert got.exit_code == 2
    assert "neither 'real' nor a number of seconds" in " ".join(got.output.split())


async def test_stopped_instances_and_old_controllers_can_be_chosen(
    client: Client, start: Start
) -> None:
    async with start("--apps", "2", "--no-app-filter", "--killed") as running:
        got = await client.url(f"{running.controllers[0]}/apis/v1/endpoints?app=app1")
        assert [app["appName"] for app in got.data] == ["app1", "app2"]


def test_a_tag_needs_a_value() -> None:
    got = CliRunner().invoke(simulate, ["--tag", "colour"])
    assert got.exit_code == 2
    assert "'colour' is not KEY=VALUE" in got.output
