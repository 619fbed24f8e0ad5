"""Fuzzing of all that others send: no crash, no stall, bounded memory, no failed request.

Each kind takes `FUZZ_SECONDS`, a few in CI; `FUZZ_SECONDS=600 make fuzz` is the full length.
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.benches.processes import PACE, Bench, running_bench
from tests.faults.meddler import Meddler
from tests.faults.mutations import ODD, mutated
from tests.faults.rogue import Rogue, plain
from tests.faults.watched import Observations, watched

from drove_gateway.state.file import NAME as STATE_FILE

pytestmark = pytest.mark.asyncio

SECONDS = float(os.environ.get("FUZZ_SECONDS", "5"))
_ANY = 17 if "CI" in os.environ else random.SystemRandom().randrange(10**6)
SEED = int(os.environ.get("FUZZ_SEED", _ANY))
SIZE_LIMIT = 32 << 20
"""The largest response that is read."""


class Fuzz(msgspec.Struct, frozen=True):
    """A bench, the controller of its second namespace, what spoils the runtime API, and dice."""

    bench: Bench
    rogue: Rogue
    meddler: Meddler
    dice: random.Random


@asynccontextmanager
async def fuzzed(directory: Path) -> AsyncIterator[Fuzz]:
    """A bench whose second namespace and runtime API misbehave on request."""
    rogue, dice = Rogue(), random.Random(SEED)
    meddler = Meddler(directory / "meddler.sock", directory / "runtime.sock", dice)
    other = f'[[namespaces]]\nname = "other"\ndrove = ["http://127.0.0.1:{rogue.port}"]\n'

    def prepare(bench: Bench) -> None:
        settings = dict(bench.proxy.settings) | {"haproxysocketaddr": str(meddler.socket)}
        bench.proxy = msgspec.structs.replace(bench.proxy, settings=settings)
        bench.configure({**PACE, "loglevel": "warn"}, other)
        template = bench.proxy.template.read_text()
        bound = template.replace("stats socket {{.}} ", f"stats socket {directory}/runtime.sock ")
        assert bound != template
        bench.proxy.template.write_text(bound)

    async with (
        rogue.running(),
        meddler.running(),
        running_bench("haproxy-by-runtime-api", directory, prepare=prepare) as bench,
    ):
        yield Fuzz(bench, rogue, meddler, dice)


def a_listing(rogue: Rogue, dice: random.Random) -> bytes:
    """Return a listing of apps with all that an app may have."""
    port = rogue.apps[0]["hosts"][0]["port"]
    apps = [
        *rogue.apps,
        *(
            {
                "appName": f"fuzz{number}",
                "appId": f"fuzz{number}-1",
                "vhost": f"fuzz{number}.test",
                "tags": {"env": f"value{number}", "drain": "3"},
                "hosts": [{"host": "127.0.0.1", "port": port, "portType": "HTTP"}],
            }
            for number in range(dice.randrange(5))
        ),
    ]
    return json.dumps({"status": "SUCCESS", "data": apps, "message": "success"}).encode()


def events(dice: random.Random) -> bytes:
    """Return a page of events."""
    now = int(time.time() * 1000)
    page = [
        {"metadata": {"APP_ID": "other-1"}, "type": "INSTANCE_STATE_CHANGE", "id": "x", "time": now}
        for _ in range(dice.randrange(4))
    ]
    data = {"eventsCount": {"INSTANCE_STATE_CHANGE": 1}, "lastSyncTime": now, "events": page}
    return json.dumps({"status": "SUCCESS", "data": data, "message": "success"}).encode()


def spoiled_response(body: bytes, dice: random.Random) -> bytes:
    """Return a response with this body, mutated somewhere: in the body, the head or both."""
    match dice.randrange(4):
        case 0:
            return mutated(plain(body), dice)
        case 1:
            return plain(dice.choice(ODD) * dice.choice((1, 100, 2000)))
        case _:
            return plain(mutated(body, dice))


async def responses(fuzz: Fuzz, seen: Observations) -> None:
    async def spoil(writer: asyncio.StreamWriter) -> None:
        seen.attacks += 1
        writer.write(spoiled_response(a_listing(fuzz.rogue, fuzz.dice), fuzz.dice))
        writer.close()

    fuzz.rogue.misbehave = spoil
    await asyncio.sleep(SECONDS)
    fuzz.rogue.misbehave = None


async def spoiled_events(fuzz: Fuzz, seen: Observations) -> None:
    async def spoil(writer: asyncio.StreamWriter) -> None:
        seen.attacks += 1
        writer.write(spoiled_response(events(fuzz.dice), fuzz.dice))
        writer.close()

    fuzz.rogue.misbehave_events = spoil
    await asyncio.sleep(SECONDS)
    fuzz.rogue.misbehave_events = None


async def sockets(fuzz: Fuzz, seen: Observations) -> None:
    """The replies of the runtime API, while servers change all the time."""
    end = time.monotonic() + SECONDS
    fuzz.meddler.share = 0.3
    while time.monotonic() < end:
        await fuzz.bench.cluster.scale("web", fuzz.dice.randint(2, 5))
        await asyncio.sleep(0.5)
    fuzz.meddler.share = 0.0
    seen.attacks = fuzz.meddler.spoiled
    await fuzz.bench.cluster.scale("web", 3)
    await fuzz.bench.cluster.settled()


REQUESTS = tuple(
    f"{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n".encode()
    for line, length in (
        ("GET /v1/health", 0),
        ("GET /v1/status?vhost=web.test", 0),
        ("GET /v1/config", 0),
        ("GET /ui/vhosts/web.test", 0),
        ("GET /v1/metrics", 0),
        ("POST /v1/accept?name=web.test&dry_run=1", 9),
        ("POST /v1/reload", 3),
    )
)


async def requests(fuzz: Fuzz, seen: Observations) -> None:
    """Connections with requests that almost are HTTP; some are left open."""
    port = int(fuzz.bench.daemon.api.rpartition(":")[2])
    end = time.monotonic() + SECONDS
    left: list[asyncio.StreamWriter] = []
    while time.monotonic() < end:
        seen.attacks += 1
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            continue
        left.append(writer)
        with contextlib.suppress(OSError, TimeoutError):
            request = fuzz.dice.choice(REQUESTS) * fuzz.dice.choice((1, 1, 50))
            writer.write(mutated(request, fuzz.dice))
            async with asyncio.timeout(0.05):
                await reader.read(1 << 16)
            left.remove(writer)
            writer.transport.abort()
        if len(left) > 300:
            left.pop(0).transport.abort()
        await asyncio.sleep(0.002)
    for writer in left:
        writer.transport.abort()


KINDS: tuple[Callable[[Fuzz, Observations], Awaitable[None]], ...] = (
    responses,
    spoiled_events,
    sockets,
    requests,
)


@pytest.mark.parametrize("attack", KINDS)
async def test_the_daemon_survives_whatever_others_send(
    attack: Callable[[Fuzz, Observations], Awaitable[None]],
) -> None:
    print(f"FUZZ_SEED={SEED}")
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with fuzzed(Path(name)) as fuzz:
            bench = fuzz.bench
            async with bench.traffic("api.test", clients=1) as tally, watched(bench) as seen:
                await attack(fuzz, seen)
                await bench.accept()
                await bench.healthy()
                await bench.serves()
            print(f"{attack.__name__}: {seen}; {tally.requests} requests, 0 failed")
            assert seen.attacks > SECONDS, str(seen)
            assert seen.responses.probes > SECONDS, str(seen)
            assert seen.responses.stalls == [], str(seen)
            assert seen.memory < 2 * seen.resting_memory + SIZE_LIMIT, str(seen)
            assert seen.log_bytes < 1_000_000 + 20_000 * SECONDS, str(seen)


async def test_the_daemon_starts_from_any_stored_state() -> None:
    print(f"FUZZ_SEED={SEED}")
    starts = 0
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        async with fuzzed(Path(name)) as fuzz:
            bench, end = fuzz.bench, time.monotonic() + SECONDS
            state = bench.directory / "state"
            async with bench.traffic("api.test", clients=1) as tally:
                while time.monotonic() < end or starts == 0:
                    assert await bench.ended(signal.SIGTERM) == 0
                    for file in (STATE_FILE, "last-good-template"):
                        spoil(state / file, fuzz.dice)
                    await bench.daemon.start()
                    await bench.healthy(30)
                    starts += 1
            print(f"state files: {starts} starts, {tally.requests} requests, 0 failed")


def spoil(file: Path, dice: random.Random) -> None:
    """Mutate a file, or replace it by something else."""
    content = file.read_bytes() if file.is_file() else b""
    if file.is_dir():
        file.rmdir()
    file.unlink(missing_ok=True)
    match dice.randrange(12):
        case 0:
            file.mkdir()
        case 1:
            os.mkfifo(file)
        case 2:
            file.symlink_to("/dev/zero")
        case 3:
            pass
        case _:
            file.write_bytes(mutated(content, dice))
