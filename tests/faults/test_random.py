"""Random faults and changes under traffic: no request fails while a server that the proxy was given
lives, and in the end proxy and cluster are equal.

The seed is printed and can be given again: `SOAK_SEED=17 SOAK_SECONDS=600 make soak`.
"""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable

import pytest
from tests.benches.processes import Bench
from tests.faults.keepable import keepable
from tests.faults.mutations import mutated
from tests.faults.rogue import VHOST, Rogue, answer
from tests.faults.test_machine import HANGING_CHECK, HANGING_RELOAD
from tests.faults.watched import descriptors_of, memory_of
from tests.waiting import until

from drove_gateway.simulator import Fault
from drove_gateway.simulator.faults import Kind

pytestmark = pytest.mark.asyncio(loop_scope="module")

# CI plays the same faults each time, everybody else new ones.
_ANY = 17 if "CI" in os.environ else random.SystemRandom().randrange(10**6)
SEED = int(os.environ.get("SOAK_SEED", _ANY))
SECONDS = float(os.environ.get("SOAK_SECONDS", "20"))

SPOILS: tuple[Kind, ...] = (
    "slow",
    "status",
    "html",
    "failed",
    "empty",
    "partial",
    "no-hosts",
    "shuffled",
    "wrong-types",
    "garbage",
    "truncated",
    "cut",
    "reset",
)

CHANGED = "web"
# How long instances of `CHANGED` live at least once the cluster has stopped listing them.
LINGER_SECONDS = 5.0

Action = Callable[[Bench, Rogue, random.Random], Awaitable[None]]


async def scale(bench: Bench, _: Rogue, dice: random.Random) -> None:
    await bench.cluster.scale(CHANGED, dice.randint(2, 6))


async def replace(bench: Bench, _: Rogue, __: random.Random) -> None:
    await bench.cluster.upgrade(CHANGED)


async def deploy(bench: Bench, _: Rogue, dice: random.Random) -> None:
    name = f"extra{dice.randrange(3)}"
    if name in bench.app_names():
        await bench.cluster.remove_app(name)
    else:
        await bench.cluster.deploy(name, instances=dice.randint(1, 3))


async def bad_vhost(_: Bench, rogue: Rogue, dice: random.Random) -> None:
    if dice.random() < 0.5:
        rogue.lists("ghost", "no-such-host.invalid", 80)
    else:
        rogue.drops("ghost")


async def bad_answers(bench: Bench, _: Rogue, dice: random.Random) -> None:
    kind = dice.choice(SPOILS)
    bench.cluster.fault(Fault(kind=kind, times=dice.randint(1, 10), delay=dice.random() / 2))


async def other_leader(bench: Bench, _: Rogue, dice: random.Random) -> None:
    await bench.cluster.move_leadership(gap=dice.random(), recovering=dice.choice((0.0, 0.8)))


async def bad_template(bench: Bench, _: Rogue, dice: random.Random) -> None:
    good = bench.proxy.template.read_text()
    bench.proxy.template.write_text(good + dice.choice(("{{.Nothing}}", "{{", "\nnosuchthing;\n")))
    await asyncio.sleep(dice.random())
    bench.proxy.template.write_text(good)


async def hang(bench: Bench, _: Rogue, dice: random.Random) -> None:
    bench.interfere(dice.choice((HANGING_CHECK, HANGING_RELOAD, "exit 1")))
    await asyncio.sleep(dice.random() * 2)
    bench.interfere("")


async def same_names(_: Bench, rogue: Rogue, dice: random.Random) -> None:
    """A vhost of another tenant that is in use already, and a name with half a surrogate."""
    port = rogue.apps[0]["hosts"][0]["port"]
    if dice.random() < 0.5:
        rogue.lists("drove:none", "127.0.0.1", port, tags={"env": "\ud800"})
    else:
        rogue.drops("drove:none")


async def garbage(_: Bench, rogue: Rogue, dice: random.Random) -> None:
    """A response that is almost a listing, for a while."""
    listing = answer(rogue.apps)

    async def spoil(writer: asyncio.StreamWriter) -> None:
        writer.write(mutated(listing, dice))
        writer.close()

    rogue.misbehave = spoil
    await asyncio.sleep(dice.random())
    rogue.misbehave = None


async def absurd_events(_: Bench, rogue: Rogue, dice: random.Random) -> None:
    """A cursor from the end of time, or none."""
    last = dice.choice((2**63 - 1, -1, "soon", None))

    async def absurd(writer: asyncio.StreamWriter) -> None:
        writer.write(answer({"eventsCount": {}, "lastSyncTime": last}))

    rogue.misbehave_events = absurd
    await asyncio.sleep(dice.random())
    rogue.misbehave_events = None


async def hostile_clients(bench: Bench, _: Rogue, dice: random.Random) -> None:
    """Half a request on many connections to the API."""
    port = int(bench.daemon.api.rpartition(":")[2])
    opened = []
    for _attempt in range(50):
        with contextlib.suppress(OSError):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(mutated(b"GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n", dice))
            opened.append(writer)
    await asyncio.sleep(dice.random())
    for writer in opened:
        writer.transport.abort()


async def pipe_as_template(bench: Bench, _: Rogue, dice: random.Random) -> None:
    """A pipe in the template's place, which nobody writes to."""
    good = bench.proxy.template.read_text()
    bench.proxy.template.unlink()
    os.mkfifo(bench.proxy.template)
    await asyncio.sleep(dice.random())
    bench.proxy.template.unlink()
    bench.proxy.template.write_text(good)


async def edited_file(bench: Bench, _: Rogue, dice: random.Random) -> None:
    """Somebody edits the proxy's file."""
    with bench.proxy.config.open("a") as file:
        file.write(f"# edited {dice.random()}\n")


async def demands(bench: Bench, _: Rogue, dice: random.Random) -> None:
    """Signals to read the configuration again, many at once, once the daemon takes them."""
    await started(bench)
    for _attempt in range(dice.randint(1, 5)):
        bench.daemon.signal(signal.SIGHUP)


async def restart(bench: Bench, _: Rogue, dice: random.Random) -> None:
    """Kill or stop the daemon, and start it again; what follows meets it while it starts."""
    await (bench.daemon.kill() if dice.random() < 0.5 else bench.daemon.stop())
    await bench.daemon.start()


async def started(bench: Bench) -> None:
    """Wait until the API responds. A daemon that has ended instead is a fault."""

    async def responds() -> bool:
        still_runs(bench)
        return bool((await bench.health())["status"])

    await until(responds, 30, lambda: f"the API never responds:\n{bench.daemon.tail()}")


def still_runs(bench: Bench) -> None:
    """Assert that the daemon has not ended by itself."""
    assert bench.daemon.running, f"the daemon has ended:\n{bench.daemon.tail()}"


ACTIONS: tuple[Action, ...] = (
    scale,
    scale,
    replace,
    deploy,
    deploy,
    bad_vhost,
    bad_answers,
    bad_answers,
    other_leader,
    bad_template,
    hang,
    same_names,
    garbage,
    absurd_events,
    hostile_clients,
    pipe_as_template,
    edited_file,
    demands,
    restart,
)

# What may grow once, while caches fill: as much as the daemon has after its first restart.
MOST_MEMORY = 200 << 20
MOST_DESCRIPTORS = 100
MOST_LOG_BYTES_A_SECOND = 20_000


async def play(bench: Bench, rogue: Rogue, dice: random.Random, begin: float) -> None:
    """Inject faults and make changes for `SECONDS` since `begin`."""
    while time.monotonic() < begin + SECONDS:
        action = dice.choice(ACTIONS)
        print(f"{time.monotonic() - begin:.1f} s: {action.__name__}")
        await action(bench, rogue, dice)
        await asyncio.sleep(dice.random() / 2)
        still_runs(bench)
    bench.cluster.clear_faults()
    rogue.reset()
    await bench.cluster.settled()


async def become_equal(bench: Bench) -> None:
    """Wait until the gateway is healthy and clients reach what the cluster lists."""
    await started(bench)

    async def well() -> bool:
        # What was held or stored by a fault stays until somebody says that the listing is right.
        await bench.accept()
        return bool((await bench.health())["status"] == 200)

    await until(well, 90, lambda: f"never healthy:\n{bench.daemon.tail()}")
    await bench.serves(*set(bench.app_names()), seconds=60)
    await bench.valid()


async def test_under_any_faults_unchanged_apps_serve_and_proxy_and_cluster_become_equal(
    shared: Bench, rogue: Rogue
) -> None:
    print(f"SOAK_SEED={SEED}")
    shared.cluster.app(CHANGED).wait_before_kill = LINGER_SECONDS
    log_before = shared.daemon.log_file.stat().st_size
    begin = time.monotonic()
    async with (
        shared.traffic(f"{CHANGED}.test", strict=False) as changing,
        shared.traffic("api.test", VHOST, clients=2) as kept,
    ):
        with keepable(shared, CHANGED, changing):
            await play(shared, rogue, random.Random(SEED), begin)
        await become_equal(shared)
    logged = shared.daemon.log_file.stat().st_size - log_before
    memory, descriptors = memory_of(shared.daemon.pid), descriptors_of(shared.daemon.pid)
    failed = [
        f"{at - begin:.1f} s: {failure}"
        for at, failure in zip(changing.failed_at, changing.failures, strict=True)
    ]
    print(f"{changing.requests} requests to {CHANGED}, {len(failed)} failed: {failed[:10]}")
    print(f"{kept.requests} requests to apps that did not change, 0 failed")
    print(f"{memory >> 20} MB, {descriptors} descriptors, {logged} bytes of log")
    assert failed == []
    assert memory < MOST_MEMORY
    assert descriptors < MOST_DESCRIPTORS
    assert logged < MOST_LOG_BYTES_A_SECOND * (time.monotonic() - begin)
