"""NGINX Plus over its API, before the stand-in of the tests as a process of its own.

Each case counts its API calls beside the least number that reaches the same state, and takes its
time beside the same changes sent by a bare client over as many connections.
"""

import asyncio
import contextlib
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

import aiohttp
import msgspec
import structlog
from bench.nginx.cluster import SERVERS, VHOSTS, changed, cluster
from bench.rig.apps import vhost
from bench.rig.driving import NoMetrics, seconds_to_apply
from bench.rig.proxies import nginx_plus

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.installation import NoInstallation
from drove_gateway.proxies.nginx.adapter import NginxAdapter, Parameters
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import Resolver, system_lookup
from drove_gateway.proxies.runtime.rules import RuntimeRules

# As many as the driver uses for one apply.
CONNECTIONS = 8
REPEATS = 15

Call = tuple[str, str, Mapping[str, object] | None]


class Row(msgspec.Struct, frozen=True):
    """One case: what was done, how many calls and seconds, beside the least of both."""

    name: str
    calls: int
    least_calls: int
    seconds: float
    floor_seconds: float


class Plus:
    """The stand-in's process, the driver before it, and a bare client."""

    def __init__(self, ports: Mapping[str, int]) -> None:
        self._ports = ports
        self._bare: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.client = Client(
            Access(f"127.0.0.1:{ports['api']}"),
            timeout=30.0,
            metrics=NoMetrics(),
            log=EventLog(structlog.get_logger(), "info"),
        )
        self.driver = RuntimeProxy(
            NginxAdapter(
                self.client,
                Parameters(max_fails=0, fail_timeout="1s", slow_start="0s"),
                metrics=NoMetrics(),
                clock=time.monotonic,
            ),
            RuntimeRules(audit_interval=3600.0, watch_interval=3600.0),
            Resolver(system_lookup, timeout=1.0, ttl=30.0, clock=time.monotonic),
            NoInstallation("nginx"),
            clock=time.monotonic,
            log=EventLog(structlog.get_logger(), "info"),
        )

    async def apply(self, desired: Topology) -> float:
        """Return the seconds until it was read back."""
        return await seconds_to_apply(self.driver, desired)

    @contextlib.asynccontextmanager
    async def keeping_house(self) -> AsyncIterator[None]:
        """Housekeeping beside the applies; the audit that begins it is over and not counted."""
        task = asyncio.create_task(self.driver.run(lambda _: None))
        audited = 0
        while audited < VHOSTS:
            await asyncio.sleep(0.1)
            audited += await self.calls()
        yield
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def calls(self) -> int:
        """API calls since the last time this was asked."""
        return sum((await self._control("calls")).values())

    async def reload(self) -> None:
        """Empty every upstream: none keeps a state file. It closes kept connections."""
        await self._control("reload")
        self._bare.clear()

    async def bare(self, calls: Iterable[Call]) -> float:
        """Send calls as they come over kept connections; return the seconds."""
        pending = iter(calls)

        async def worker(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for method, path, body in pending:
                content = b"" if body is None else msgspec.json.encode(body)
                writer.write(
                    f"{method} /api/9/http/upstreams/{path} HTTP/1.1\r\nHost: bench\r\n"
                    f"Content-Length: {len(content)}\r\n\r\n".encode()
                    + content
                )
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(length))

        while len(self._bare) < CONNECTIONS:
            opened = await asyncio.open_connection("127.0.0.1", self._ports["api"])
            self._bare.append(opened)
        begin = time.perf_counter()
        async with asyncio.TaskGroup() as workers:
            for connection in self._bare:
                workers.create_task(worker(*connection))
        return time.perf_counter() - begin

    async def close(self) -> None:
        await self.client.close()
        for _, writer in self._bare:
            writer.close()

    async def _control(self, action: str) -> dict[str, int]:
        url = f"http://127.0.0.1:{self._ports['control']}/{action}"
        async with aiohttp.ClientSession() as session, session.post(url) as answer:
            text = await answer.text()
            return dict(json.loads(text)) if text else {}


@contextlib.asynccontextmanager
async def empty_plus(directory: Path) -> AsyncIterator[Plus]:
    """The stand-in with an empty upstream for each vhost."""
    conf = directory / "plus.conf"
    conf.write_text(
        "".join(f"upstream {vhost(n)} {{ zone {vhost(n)} 64k; }}\n" for n in range(VHOSTS))
    )
    async with nginx_plus(directory, conf) as (_, ports):
        plus = Plus(ports)
        try:
            yield plus
        finally:
            await plus.close()


def _add(topology: Topology) -> Iterable[Call]:
    for name, app in topology.apps.items():
        for host in app.hosts:
            fields = {"max_fails": 0, "fail_timeout": "1s", "slow_start": "0s"}
            yield "POST", f"{name}/servers/", {"server": f"{host.host}:{host.port}", **fields}


def _drain_and_delete(ids: Iterable[int]) -> tuple[list[Call], list[Call]]:
    pairs = [(vhost(number), identifier) for number in range(VHOSTS) for identifier in ids]
    drains: list[Call] = [
        ("PATCH", f"{name}/servers/{identifier}", {"drain": True}) for name, identifier in pairs
    ]
    deletes: list[Call] = [
        ("DELETE", f"{name}/servers/{identifier}", None) for name, identifier in pairs
    ]
    return drains, deletes


async def plus_rows(directory: Path) -> AsyncIterator[Row]:
    """The cases of NGINX Plus."""
    full = cluster(lambda _: range(SERVERS))
    half = cluster(lambda _: range(SERVERS // 2))
    async with empty_plus(directory) as plus:
        bare_fill = await plus.bare(_add(full))
        drains, deletes = _drain_and_delete(range(SERVERS // 2, SERVERS))
        bare_halve = await plus.bare([("GET", "", None), *drains])
        bare_halve += await plus.bare([("GET", "", None)]) + await plus.bare(deletes)
        await plus.reload()
        await plus.calls()

        seconds = await plus.apply(full)
        # One answer that has every upstream, then each server once.
        yield Row("empty to full", await plus.calls(), 1 + VHOSTS * SERVERS, seconds, bare_fill)

        async with plus.keeping_house():
            begin = time.perf_counter()
            await plus.apply(half)
            while plus.driver.draining:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            seconds = time.perf_counter() - begin
        # One answer to know the ids, one to know who is idle; each server drained and deleted.
        least = 2 + VHOSTS * SERVERS
        yield Row("5,000 removed", await plus.calls(), least, seconds, bare_halve)

        yield await _one_change(plus, half)


async def _one_change(plus: Plus, topology: Topology) -> Row:
    taken, floors = [], []
    await plus.calls()
    for turn in range(REPEATS):
        servers = [*range(1, SERVERS // 2), SERVERS]
        topology = changed(topology, turn * 7, servers)
        taken.append(await plus.apply(topology))
    calls = await plus.calls()
    for turn in range(REPEATS):
        path = f"{vhost(500 + turn)}/servers/"
        floors.append(
            await plus.bare([("GET", path, None)])
            + await plus.bare([("POST", path, {"server": "10.99.0.1:80", "max_fails": 0})])
            + await plus.bare([("PATCH", f"{path}0", {"drain": True})])
        )
    # Read, so that no address stands twice and every id is right; one added, one drained.
    seconds, floor = statistics.median(taken), statistics.median(floors)
    return Row("one server replaced", calls // REPEATS, 3, seconds, floor)


async def plus() -> list[dict[str, object]]:
    """Every case of NGINX Plus."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        rows = [row async for row in plus_rows(Path(name))]
    return [
        {
            "NGINX Plus over its API": row.name,
            "calls": row.calls,
            "least": row.least_calls,
            "calls / least": row.calls / row.least_calls,
            "ms": row.seconds * 1000,
            "bare ms": row.floor_seconds * 1000,
            "ms / bare": row.seconds / row.floor_seconds,
        }
        for row in rows
    ]
