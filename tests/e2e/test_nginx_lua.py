"""The daemon with the shipped template nginx-lua: a simulated cluster and Debian's NGINX."""

import asyncio
import contextlib
import itertools
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

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


async def test_no_request_fails_but_those_that_a_killed_worker_had(bench: Bench) -> None:
    """A client sends a request again as HTTP provides (RFC 9112, 9.3.1). Of a worker that is
    killed the first request on a connection is lost, and while NGINX restarts nothing listens."""
    killed: list[tuple[float, float]] = []
    async with bench.gateway():
        await until(partial(_responds, bench.port, "web.local", 200))
        traffic = Traffic(bench.port, ["web.local"], clients=CLIENTS, repeat=True)
        async with traffic.running() as tally:
            disturbances = _disturbances(bench, killed)
            for number, disturb in enumerate(itertools.cycle(disturbances), start=1):
                await disturb()
                await traffic.answered(REQUESTS // 20)
                if tally.requests >= REQUESTS and number >= len(disturbances):
                    break
        print(f"{tally.requests} requests, {len(tally.failures)} lost in {len(killed)} kills")
        failures = zip(tally.failures, tally.failed_at, strict=True)
        others = [
            (failure, at)
            for failure, at in failures
            if not any(begin <= at <= end for begin, end in killed)
        ]
        assert others == []
        cut = [each for each in tally.failures if not each.startswith("cannot connect")]
        assert len(cut) <= CLIENTS * len(killed)


def _disturbances(
    bench: Bench, killed: list[tuple[float, float]]
) -> list[Callable[[], Awaitable[object]]]:
    async def scale(instances: int) -> None:
        await bench.cluster.scale("web", instances)
        await until(partial(bench.serves, instances))

    async def come_and_go() -> None:
        await bench.cluster.deploy("other", instances=2)
        await until(partial(_responds, bench.port, "other.local", 200))
        await bench.cluster.remove_app("other")
        await until(partial(_responds, bench.port, "other.local", 404))

    async def kill(how: Callable[[], Awaitable[None]]) -> None:
        begin = time.monotonic()
        await how()
        killed.append((begin, time.monotonic() + 0.1))

    return [
        partial(scale, 5),
        bench.nginx.reload,
        come_and_go,
        partial(scale, 2),
        partial(kill, bench.nginx.kill_workers),
        partial(scale, 3),
        partial(kill, bench.nginx.restart),
    ]


async def _responds(port: int, vhost: str, status: int) -> bool:
    try:
        return (await get(port, vhost))[0] == status
    except OSError:
        return False
