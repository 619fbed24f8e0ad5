"""What controllers see of many gateways: requests and bytes a second, and how they are spread.

The Drove side of each gateway is the real code with its own connections; only the proxies are
missing. All gateways start at the same moment, the worst case. Then they are measured at rest,
after a change, and while the leader responds late to each poll. `--everything` measures gateways
that fetch everything after a change, as without `?app=`.

Options: `--gateways`, `--interval`, `--apps`, `--processes`, `--settle`, `--everything`.
"""

import argparse
import asyncio
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from bench.report import announce, save, show
from bench.rig.cluster import Cluster, Exchange, cluster
from bench.rig.numbers import percentile
from bench.rig.usage import usage

from drove_gateway.demo.processes import running

INSTANCES = 10
CONTROLLERS = 3
LEADER = 0
ENDPOINTS = "/v1/endpoints"
_LOOK_SECONDS = 0.1
_READ_SECONDS = 2.0
_REST_SECONDS = 30.0
_CHANGE_SECONDS = 15.0
_SLOW_SECONDS = 30.0
# How late the leader responds to each poll, as a share of the interval between polls.
_SLOW_SHARE = 1.5
# The heads of a request and its response on the wire, which are not measured.
_HEADS_BYTES = 350


@asynccontextmanager
async def fleet(there: Cluster, directory: Path, chosen: argparse.Namespace) -> AsyncIterator[None]:
    """Run the gateways in a few processes until the block ends."""
    async with AsyncExitStack() as stack:
        for number in range(chosen.processes):
            share, more = divmod(chosen.gateways, chosen.processes)
            names = "everything" if chosen.everything else "apps"
            pollers = (str(share + (number < more)), str(chosen.interval), names)
            command = (sys.executable, "-m", "bench.rig.pollers", *pollers)
            log = directory / f"pollers-{number}.log"
            await stack.enter_async_context(running((*command, *there.urls), log))
        while not await there.exchanges(0.0):  # noqa: ASYNC110 - another process knows
            await asyncio.sleep(_LOOK_SECONDS)
        yield


async def seen(there: Cluster, seconds: float) -> list[Exchange]:
    """Return the requests to the controllers within the next `seconds`."""
    found: list[Exchange] = []
    begin = since = time.monotonic()
    while since < begin + seconds:
        await asyncio.sleep(_READ_SECONDS)
        until = time.monotonic()
        found += [it for it in await there.exchanges(since) if since <= it.answered < until]
        since = until
    return found


def row(phase: str, seconds: float, found: Sequence[Exchange]) -> dict[str, object]:
    """Return what the leader sees, and how evenly."""
    to_leader = [exchange for exchange in found if exchange.controller == LEADER]
    paths = Counter(exchange.path.removeprefix("/v1/") for exchange in to_leader)
    tenths = Counter(int(exchange.begun * 10) for exchange in to_leader)
    waits = [exchange.answered - exchange.begun for exchange in to_leader]
    return {
        "phase": phase,
        "seconds": seconds,
        "pings/s": paths["ping"] / seconds,
        "events/s": paths["cluster/events/latest"] / seconds,
        "endpoints/s": paths["endpoints"] / seconds,
        "all/s": len(to_leader) / seconds,
        "kB/s": sum(exchange.bytes + _HEADS_BYTES for exchange in to_leader) / seconds / 1000,
        "most in 0.1 s / mean": max(tenths.values()) / (len(to_leader) / seconds / 10),
        "answer p99 ms": percentile(waits, 0.99) * 1000,
        "to a stand-by/s": (len(found) - len(to_leader)) / (CONTROLLERS - 1) / seconds,
    }


async def reached(there: Cluster, gateways: int) -> dict[str, object]:
    """Make a change. Return when all gateways have fetched endpoints after it."""
    change = await there.change("scale", app="app1", instances=INSTANCES + 1)
    found = await seen(there, _CHANGE_SECONDS)
    after = [
        exchange
        for exchange in found
        if exchange.path == ENDPOINTS and exchange.begun >= change.visible_at
    ]
    fetches = sorted(exchange.begun - change.visible_at for exchange in after)
    if len(fetches) < gateways:
        raise SystemExit(f"only {len(fetches)} fetches by {gateways} gateways")
    return row("after a change", _CHANGE_SECONDS, found) | {
        "half have asked s": percentile(fetches[:gateways], 0.5),
        "all have asked s": fetches[gateways - 1],
        "fetch kB": percentile([exchange.bytes for exchange in after], 0.5) / 1000,
    }


async def measure(chosen: argparse.Namespace) -> list[dict[str, object]]:
    """Measure every phase in turn."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        directory = Path(name)
        async with (
            cluster(
                directory, apps=chosen.apps, instances=INSTANCES, controllers=CONTROLLERS
            ) as there,
            fleet(there, directory, chosen),
        ):
            start = await seen(there, 10.0)
            whole = max(exchange.bytes for exchange in start) / 1000
            rows = [row("all start at once", 10.0, start) | {"fetch kB": whole}]
            await asyncio.sleep(chosen.settle)
            before = usage(there.pid).cpu
            rows.append(row("at rest", _REST_SECONDS, await seen(there, _REST_SECONDS)))
            spent = usage(there.pid).cpu - before
            rows.append(await reached(there, chosen.gateways))
            late = _SLOW_SHARE * chosen.interval
            await there.ask("fault", kind="slow", route="latest", delay=late)
            await asyncio.sleep(2 * late)
            slow = await seen(there, _SLOW_SECONDS)
            rows.append(row(f"polls take {late:g} s", _SLOW_SECONDS, slow))
    print(f"\nThe simulated controllers used {spent / _REST_SECONDS:.0%} of a core at rest")
    return rows


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench fleet", description=__doc__)
    parser.add_argument("--gateways", type=int, default=1000)
    parser.add_argument("--interval", type=float, default=5.0, help="event_refresh_interval_sec")
    parser.add_argument("--apps", type=int, default=100, help=f"with {INSTANCES} servers each")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--everything", action="store_true", help="fetch everything after a change")
    parser.add_argument("--settle", type=float, default=95.0, help="seconds from start to rest")
    return parser.parse_args()


def main() -> None:
    """Measure, print and save the results."""
    chosen = options()
    # Each gateway keeps a connection to each controller; the cluster holds the other ends.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    announce(
        f"{chosen.gateways} gateways poll every {chosen.interval:g} s; "
        f"{chosen.apps} vhosts x {INSTANCES}, {CONTROLLERS} controllers"
    )
    rows = asyncio.run(measure(chosen))
    show("What the leading controller sees", rows)
    for measured in rows:
        if "all have asked s" in measured:
            half, every = measured["half have asked s"], measured["all have asked s"]
            print(f"Half of the gateways asked {half:.1f} s after the change, all {every:.1f} s.")
    print(f"\nWritten to {save('fleet', rows)}")


if __name__ == "__main__":
    main()
