"""Reloads while WebSockets stay open, as when an app flaps: old workers stay few."""

import asyncio
import contextlib
import os
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.benches.processes import PACE, Bench, running_bench
from tests.faults.rogue import VHOST, Rogue
from tests.traffic import get
from tests.waiting import until

pytestmark = pytest.mark.asyncio

LONGEST_WAIT = 6.0
MOST_GENERATIONS = 20
FLAPPING_SECONDS = 20.0
# The key and the response to it are those of RFC 6455, section 1.3.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)


async def switch(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept each WebSocket and keep it open; send 200 to other requests."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        if b"upgrade: websocket" in head.lower():
            writer.write(SWITCHED)
            await reader.read()
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
    writer.close()


async def open_websocket(port: int) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        f"GET / HTTP/1.1\r\nHost: {VHOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n".encode()
    )
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    return writer


@asynccontextmanager
async def websockets(port: int) -> AsyncIterator[list[asyncio.StreamWriter]]:
    """Open a WebSocket every moment and close none, so that each worker has some."""
    held: list[asyncio.StreamWriter] = []

    async def open_more() -> None:
        while True:
            held.append(await open_websocket(port))
            await asyncio.sleep(0.05)

    opening = asyncio.create_task(open_more())
    try:
        yield held
        assert not opening.done(), "a WebSocket was refused"
    finally:
        opening.cancel()
        for writer in held:
            writer.transport.abort()


@asynccontextmanager
async def bench_with_websockets(kind: str, directory: Path) -> AsyncIterator[tuple[Bench, Rogue]]:
    rogue = Rogue()
    server = await asyncio.start_server(switch, "127.0.0.1", 0)
    other = f'[[namespaces]]\nname = "other"\ndrove = ["http://127.0.0.1:{rogue.port}"]\n'
    pace = {**PACE, "reload_max_interval_sec": LONGEST_WAIT}
    async with server, rogue.running():
        rogue.lists("other", "127.0.0.1", server.sockets[0].getsockname()[1])
        async with running_bench(
            kind, directory, prepare=lambda bench: bench.configure(pace, other)
        ) as bench:
            await bench.vhost_is(VHOST, 200)
            yield bench, rogue


async def old_workers(bench: Bench) -> int:
    return int((await bench.status())["old_workers"]["count"])


@pytest.mark.parametrize("kind", ["nginx", "haproxy-by-reload", "haproxy-by-runtime-api"])
async def test_with_websockets_open_old_workers_stay_few_and_changes_are_applied_in_time(
    kind: str,
) -> None:
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with bench_with_websockets(kind, Path(name)) as (bench, rogue):
            most, listed, slowest = 0, 0, 0.0
            waiting: dict[str, float] = {}
            async with websockets(bench.proxy.port):
                end = time.monotonic() + FLAPPING_SECONDS
                while time.monotonic() < end:
                    listed += 1
                    rogue.lists(f"flap{listed}", *other_instance(rogue))
                    waiting[f"flap{listed}.test"] = time.monotonic()
                    await asyncio.sleep(0.5)
                    most = max(most, await old_workers(bench))
                    slowest = max(slowest, await longest_wait(bench, waiting))
                report = await bench.status()
                assert report["old_workers"]["delay_reloads"], report["old_workers"]
                await bench.vhost_is(f"flap{listed}.test", 200)
                await until(lambda: served(bench, waiting), LONGEST_WAIT + 6)
            allowed = MOST_GENERATIONS * ((os.cpu_count() or 1) if kind == "nginx" else 1)
            assert 8 <= most <= allowed, f"{most} old workers after {listed} changes"
            assert slowest < LONGEST_WAIT + 6, f"a change took {slowest:.1f} s"

            async def ended() -> bool:
                return await old_workers(bench) == 0

            await until(ended, 20, lambda: "old workers are left although no connection is")


def other_instance(rogue: Rogue) -> tuple[str, int]:
    host = next(app["hosts"][0] for app in rogue.apps if app["appName"] == "other")
    return host["host"], host["port"]


async def served(bench: Bench, waiting: dict[str, float]) -> bool:
    await longest_wait(bench, waiting)
    return not waiting


async def longest_wait(bench: Bench, waiting: dict[str, float]) -> float:
    """Drop from `waiting` the vhosts that are served by now, and return how long the oldest of
    them took, or has been taking."""
    now, longest = time.monotonic(), 0.0
    for vhost, since in list(waiting.items()):
        longest = max(longest, now - since)
        if (await get(bench.proxy.port, vhost))[0] == 200:
            del waiting[vhost]
    return longest
