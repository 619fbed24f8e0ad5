"""The daemon with the shipped template nginx-lua: a simulated cluster and Debian's NGINX."""

import asyncio
import contextlib
import itertools
import json
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec
import pytest
from tests.proxies.nginx.lua.rig import LuaNginx, lua_program
from tests.traffic import Traffic, free_port, get
from tests.waiting import until

from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped

# Of the test that disturbs everything; 200,000 of them take about ten minutes.
REQUESTS = int(os.environ.get("LUA_REQUESTS", "4000"))

CLIENTS = 4


class Bench:
    """NGINX, which serves nothing yet, and a gateway that drives it."""

    def __init__(self, directory: Path, cluster: Simulator) -> None:
        self.nginx = LuaNginx(directory)
        self.nginx.write({})
        # NGINX cannot go from one address of a port to all of them.
        self.port = free_port()
        self.cluster = cluster
        self._directory = directory
        self._environ = {
            "PROXY_HTTP_PORT": str(self.port),
            "GENERATION_PORT": str(free_port()),
            "NGINX_USER": "root" if os.geteuid() == 0 else "none",
            "NGINX_PID": str(directory / "nginx.pid"),
            "NGINX_ERROR_LOG": str(directory / "error.log"),
            "NGINX_ACCESS_LOG": "off",
            "NGINX_TEMP": str(directory),
        }
        (directory / "nginx.tmpl").write_text(shipped("nginx-lua"))
        (directory / "nixy.toml").write_text(self._toml())

    def _toml(self) -> str:
        directory = self._directory
        return f"""
port = {free_port()}
event_refresh_interval_sec = 0.1
ping_interval_sec = 0.2
state_persistence_dir = "{directory}/state"
nginx_config = "{self.nginx.config}"
nginx_template = "{directory}/nginx.tmpl"
nginx_cmd = "{lua_program()} -p {directory}"
nginxplusapiaddr = "unix:{self.nginx.socket}"
[[namespaces]]
name = "main"
drove = {json.dumps(self.cluster.urls)}
realm_suffix = ".local"
"""

    @contextlib.asynccontextmanager
    async def gateway(self) -> AsyncIterator[None]:
        with (self._directory / "gateway.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "drove_gateway"),
                *("-f", str(self._directory / "nixy.toml")),
                env={**os.environ, **self._environ},
                stdout=log,
                stderr=log,
            )
        try:
            yield
        finally:
            process.terminate()
            await process.wait()

    async def serves(self, servers: int) -> bool:
        try:
            return len(await self.nginx.servers("web.local")) == servers
        except OSError:
            return False

    async def loads(self) -> int:
        return int((await self.nginx.handshake())["loads"])


@pytest.fixture
async def bench(short_path: Path) -> AsyncIterator[Bench]:
    lua_program()
    async with Simulator(Options(apps=0, wait_before_kill=1.0)) as cluster:
        bench = Bench(short_path, cluster)
        await bench.nginx.start()
        try:
            await cluster.deploy("web", instances=2)
            yield bench
        finally:
            await bench.nginx.stop()


async def test_an_app_scales_under_traffic_without_a_failure_or_a_reload(bench: Bench) -> None:
    async with bench.gateway():
        await until(partial(_responds, bench.port, "web.local", 200))
        loads = await bench.loads()
        traffic = Traffic(bench.port, ["web.local"], clients=4)
        async with traffic.running() as tally:
            await traffic.answered(50)
            for servers in (5, 1, 4):
                await bench.cluster.scale("web", servers)
                await until(partial(bench.serves, servers))
                await traffic.answered(50)
        assert tally.failures == []
        assert await bench.loads() == loads


async def test_a_manual_reload_keeps_the_servers(bench: Bench) -> None:
    async with bench.gateway():
        await until(partial(_responds, bench.port, "web.local", 200))
        await bench.cluster.scale("web", 3)
        await until(lambda: bench.serves(3))
        await bench.nginx.reload()
        assert await bench.serves(3)
        assert (await get(bench.port, "web.local"))[0] == 200


class Window(msgspec.Struct, frozen=True):
    """From when to when, by the monotonic clock, workers were killed or NGINX restarted."""

    kind: Literal["kill", "restart"]
    begin: float
    end: float


def cause(reason: str, begun: float, ended: float, windows: Collection[Window]) -> str:
    """Why a request was lost: what no proxy avoids, by name, else the failure itself.

    A killed worker takes what it was serving along. While the only NGINX restarts, nothing listens;
    connections that the system had accepted for it, and no worker had taken yet, are reset.
    """
    for window in windows:
        if begun > window.end or ended < window.begin:
            continue
        if window.kind == "restart" and reason.startswith("cannot connect: [Errno 111]"):
            return "refused while NGINX restarted"
        if reason.startswith("connection ended without an answer"):
            return "reset by the restart" if window.kind == "restart" else "in a killed worker"
    return reason


@pytest.mark.parametrize(
    ("reason", "begun", "ended", "found"),
    [
        ("connection ended without an answer: None", 0.9, 1.1, "in a killed worker"),
        ("connection ended without an answer: None", 1.3, 1.4, None),
        ("connection ended without an answer: None", 1.9, 2.1, "reset by the restart"),
        ("cannot connect: [Errno 111] refused", 2.1, 2.1, "refused while NGINX restarted"),
        ("cannot connect: [Errno 111] refused", 1.1, 1.1, None),
        ("status 502", 1.1, 1.1, None),
        ("status 404", 2.1, 2.2, None),
    ],
)
def test_only_what_no_proxy_avoids_is_excused(
    reason: str, begun: float, ended: float, found: str | None
) -> None:
    windows = [Window("kill", 1.0, 1.2), Window("restart", 2.0, 2.5)]
    assert cause(reason, begun, ended, windows) == (found or reason)


async def test_no_request_fails_but_what_no_proxy_avoids(bench: Bench) -> None:
    """A client sends a request again as HTTP provides (RFC 9112, 9.3.1)."""
    windows: list[Window] = []
    async with bench.gateway():
        await until(partial(_responds, bench.port, "web.local", 200))
        traffic = Traffic(bench.port, ["web.local"], clients=CLIENTS, repeat=True)
        async with traffic.running() as tally:
            disturbances = _disturbances(bench, windows)
            for number, disturb in enumerate(itertools.cycle(disturbances), start=1):
                await disturb()
                await traffic.answered(REQUESTS // 20)
                if tally.requests >= REQUESTS and number >= len(disturbances):
                    break
    failures = zip(tally.failures, tally.begun_at, tally.failed_at, strict=True)
    causes = Counter(cause(*failure, windows) for failure in failures)
    print(f"{tally.requests} requests, {tally.repeated} sent again, {dict(causes)}")
    kinds = Counter(window.kind for window in windows)
    print(f"{number} disturbances, among them {dict(kinds)}")
    assert causes.keys() <= {
        *("in a killed worker", "refused while NGINX restarted", "reset by the restart")
    }
    # A client has one request under way.
    assert causes["in a killed worker"] <= CLIENTS * kinds["kill"]
    assert causes["reset by the restart"] <= CLIENTS * kinds["restart"]


def _disturbances(bench: Bench, windows: list[Window]) -> list[Callable[[], Awaitable[object]]]:
    async def scale(instances: int) -> None:
        await bench.cluster.scale("web", instances)
        await until(partial(bench.serves, instances))

    async def come_and_go() -> None:
        await bench.cluster.deploy("other", instances=2)
        await until(partial(_responds, bench.port, "other.local", 200))
        await bench.cluster.remove_app("other")
        await until(partial(_responds, bench.port, "other.local", 404))

    async def kill() -> None:
        windows.append(Window("kill", *await bench.nginx.kill_workers()))

    async def restart() -> None:
        windows.append(Window("restart", *await bench.nginx.restart()))

    return [
        partial(scale, 5),
        bench.nginx.reload,
        come_and_go,
        partial(scale, 2),
        kill,
        partial(scale, 3),
        restart,
    ]


async def _responds(port: int, vhost: str, status: int) -> bool:
    try:
        return (await get(port, vhost))[0] == status
    except OSError:
        return False
