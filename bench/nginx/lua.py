"""NGINX with Lua: the driver before Debian's NGINX, with the shipped template and its file.

Changes are timed from the new topology to the end of the apply; the housekeeping of the gateway,
which deletes drained servers, checks and writes the file, works beside them. A new vhost is timed
to its first right response. Requests are compared with the same NGINX by the template `nginx`.
"""

import asyncio
import contextlib
import re
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from bench.nginx.cluster import SERVERS, VHOSTS, changed, cluster
from bench.nginx.reloads import Oss
from bench.rig.apps import vhost
from bench.rig.numbers import percentile
from tests.proxies.nginx.lua.driver_rig import Nginx, Rig, rigged, running
from tests.proxies.nginx.lua.rig import PROGRAM
from tests.traffic import Instance, get

from drove_gateway.demo.processes import free_ports
from drove_gateway.model.vocabulary import App, Host, HostGroup, Topology

CHANGES = 200
NEW_VHOSTS = 60
FILLS = 5
ROUNDS = 3
# Between changes, so that each finds the gateway at rest.
_PAUSE_SECONDS = 0.05
_LOAD_SECONDS = 5
_CONNECTIONS = 32
_BACKEND = """\
pid {directory}/backend.pid;
error_log {directory}/backend.log;
worker_processes 1;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    server {{
        {listens}
        location / {{ return 200 "ok"; }}
    }}
}}
"""

Row = dict[str, object]


async def lua() -> list[Row]:
    """Every case of NGINX with Lua."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with running(Path(name)) as nginx:
            rows = await _changes(nginx)
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        return [*rows, await _requests(Path(name))]


def _row(name: str, samples: list[float], goal: str) -> Row:
    return {
        "NGINX with Lua": name,
        "n": len(samples),
        "p50 ms": percentile(samples, 0.5) * 1000,
        "p99 ms": percentile(samples, 0.99) * 1000,
        "value": None,
        "goal": goal,
    }


async def _changes(nginx: Nginx) -> list[Row]:
    full = cluster(lambda _: range(SERVERS))
    empty = Topology({}, full.namespaces)
    async with rigged(
        nginx, audit_interval=30.0, watch_interval=0.5, structure_interval=3600.0, drain_timeout=1.0
    ) as rig:
        await _apply(rig, empty)
        free = (await nginx.handshake())["dictionary"]["free"]
        fills = []
        for _ in range(FILLS):
            fills.append(await _apply(rig, full))
            used = free - (await nginx.handshake())["dictionary"]["free"]
            await _apply(rig, empty)
        await _apply(rig, full)
        # The file gets the vhosts, so that the changes below meet a cluster at rest.
        await rig.apply(full, "the bench begins")
        async with _keeping_house(rig):
            singles = await _single_changes(rig, full)
            arrivals, reloads = await _new_vhosts(rig, full)
        memory: Row = {
            "NGINX with Lua": "bytes of the dictionary for each server",
            "n": VHOSTS * SERVERS,
            "value": used / (VHOSTS * SERVERS),
        }
        return [
            _row("10,000 servers from empty", fills, "300"),
            _row("one server replaced", singles, "p99 10"),
            _row(f"new vhost to its first response, {reloads} reloads", arrivals, "p99 50"),
            memory,
        ]


async def _apply(rig: Rig, desired: Topology) -> float:
    begin = time.perf_counter()
    outcome = await rig.apply(desired)
    seconds = time.perf_counter() - begin
    if outcome.failed:
        raise SystemExit(f"not applied: {outcome.failed[:3]}")
    return seconds


@contextlib.asynccontextmanager
async def _keeping_house(rig: Rig) -> AsyncIterator[None]:
    task = asyncio.create_task(rig.driver.run(lambda _: None))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _single_changes(rig: Rig, topology: Topology) -> list[float]:
    samples = []
    for turn in range(CHANGES):
        topology = changed(topology, turn * 7 % VHOSTS, [*range(1, SERVERS), SERVERS + turn])
        samples.append(await _apply(rig, topology))
        await asyncio.sleep(_PAUSE_SECONDS)
    return samples


async def _new_vhosts(rig: Rig, topology: Topology) -> tuple[list[float], int]:
    instance = await Instance("new").start()
    loads = (await rig.nginx.handshake())["loads"]
    samples = []
    try:
        for turn in range(NEW_VHOSTS):
            name = f"new{turn}.example.com"
            app = _app(name, (Host("127.0.0.1", instance.port, "http"),))
            topology = msgspec.structs.replace(topology, apps={**topology.apps, name: app})
            begin = time.perf_counter()
            applying = asyncio.create_task(rig.apply(topology))
            await _first_response(rig.port, name)
            samples.append(time.perf_counter() - begin)
            await applying
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        await instance.stop()
    return samples, (await rig.nginx.handshake())["loads"] - loads


async def _first_response(port: int, name: str) -> None:
    status = 0
    while status != 200:
        status, _ = await get(port, name)


def _app(name: str, hosts: tuple[Host, ...]) -> App:
    return App(name, name, hosts, {}, {name: HostGroup(hosts, {})}, "")


async def _requests(directory: Path) -> Row:
    """Requests a second of a vhost with ten servers, beside those of a static upstream."""
    ports = [free_ports() for _ in range(SERVERS)]
    conf = directory / "backend.conf"
    listens = "\n        ".join(f"listen 127.0.0.1:{port};" for port in ports)
    conf.write_text(_BACKEND.format(directory=directory, listens=listens))
    served = _app(vhost(0), tuple(Host("127.0.0.1", port, "http") for port in ports))
    desired = cluster(lambda _: range(SERVERS))
    desired = msgspec.structs.replace(desired, apps={**desired.apps, served.vhost: served})
    static_directory, lua_directory = directory / "static", directory / "lua"
    static_directory.mkdir()
    lua_directory.mkdir()
    backend = (str(PROGRAM), "-p", str(directory), "-c", str(conf))
    static = Oss(static_directory, PROGRAM, (1, 22, 1))
    static.conf.write_text(f"pid {static_directory}/nginx.pid;\nevents {{}}\nhttp {{}}\n")
    await _run(*backend)
    await static.command()
    try:
        await static.installation.install(desired)
        async with running(lua_directory) as nginx, rigged(nginx) as rig:
            await rig.apply(desired)
            return await _compared(static.port, nginx.port)
    finally:
        await static.command("-s", "stop")
        await _run(*backend, "-s", "stop")


async def _compared(static: int, with_lua: int) -> Row:
    rates = [(await _rate(static), await _rate(with_lua)) for _ in range(ROUNDS)]
    plain, balanced = (statistics.median(each) for each in zip(*rates, strict=True))
    ratio = statistics.median(lua / static for static, lua in rates)
    return {
        "NGINX with Lua": f"{balanced:,.0f} requests a second, {plain:,.0f} to a static upstream",
        "n": ROUNDS,
        "value": ratio,
        "goal": "ratio 0.75",
    }


async def _rate(port: int) -> float:
    command = ("wrk", "-t1", f"-c{_CONNECTIONS}", f"-d{_LOAD_SECONDS}s")
    printed = await _run(*command, "-H", f"Host: {vhost(0)}", f"http://127.0.0.1:{port}/")
    found = re.search(r"Requests/sec:\s*([\d.]+)", printed)
    if found is None or "Non-2xx" in printed:
        raise SystemExit(f"wrk's requests failed:\n{printed}")
    return float(found[1])


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed = (await process.communicate())[0].decode()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return printed
