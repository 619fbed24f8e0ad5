"""Constant keep-alive load while the cluster changes: failures and latencies.

The same load is measured with each proxy while nothing happens, and while instances roll, apps are
deployed and replaced, instances die and leaders fail over. The client never retries, so every
failed request counts. Options: `--mode` (may be repeated), `--seconds`, `--rate`, `--connections`,
`--vhosts`, `--gateway`, `--template`, `--wrk` (wrk creates the load, at its own pace).
"""

import argparse
import asyncio
import contextlib
import random
import re
import shutil
import tempfile
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bench.report import announce, save, show
from bench.rig.cluster import Cluster, cluster
from bench.rig.gateway import Gateway, Kind, gateway, kinds
from bench.rig.numbers import percentile
from bench.rig.proxies import proxy
from bench.rig.traffic import Answer, Load

from drove_gateway.proxies.local import LocalProxy

MODES = ("haproxy-runtime", "haproxy-reload", "nginx-reload")
APPS = 6
INSTANCES = 4
# Seconds that an instance takes to become healthy, and has to finish after it left the list.
_HEALTHY_AFTER = 0.5
_WAIT_BEFORE_KILL = 3.0
_BETWEEN_SECONDS = 1.0
_READY_SECONDS = 120.0


class Scene:
    """The parts of a measurement: a cluster, a proxy and the gateway between them."""

    def __init__(self, there: Cluster, driven: LocalProxy, ran: Gateway) -> None:
        self.cluster = there
        self.proxy = driven
        self.gateway = ran
        self.vhosts = [f"churn{number}.local" for number in range(APPS)]


class Tally:
    """Latencies of the last million good responses, in seconds; failures by status."""

    def __init__(self) -> None:
        self.requests = 0
        self.latencies: deque[float] = deque(maxlen=1_000_000)
        self.failures: Counter[int] = Counter()

    def note(self, answer: Answer) -> None:
        """Count a response."""
        self.requests += 1
        if answer.status == 200:
            self.latencies.append(answer.at - answer.due)
        else:
            self.failures[answer.status] += 1


async def rolling(scene: Scene) -> None:
    """Replace every instance of an app in turn."""
    await scene.cluster.ask("replace-instances", app=_some())


async def deploying(scene: Scene) -> None:
    """Replace an app by a new version on the same vhost, blue/green."""
    await scene.cluster.ask("upgrade", name=_some())


async def scaling(scene: Scene) -> None:
    """Scale an app up, and down again."""
    app = _some()
    await scene.cluster.ask("scale", app=app, instances=INSTANCES + 2)
    await asyncio.sleep(_BETWEEN_SECONDS)
    await scene.cluster.ask("scale", app=app, instances=INSTANCES)


async def adding(scene: Scene) -> None:
    """Deploy an app on a new vhost, and remove it."""
    name = f"extra{random.randrange(10**6)}"
    await scene.cluster.ask("deploy", name=name, instances=2, real=True)
    await asyncio.sleep(2 * _BETWEEN_SECONDS)
    await scene.cluster.ask("remove-app", app=name)


async def failing_over(scene: Scene) -> None:
    """Let another controller lead."""
    await scene.cluster.ask("move-leadership", gap=0.3)


async def dying(scene: Scene) -> None:
    """Kill an instance; the cluster notices half a second later and replaces it."""
    await scene.cluster.ask("kill-instance", app=_some(), noticed_after=0.5)


SCENARIOS: dict[str, tuple[Callable[[Scene], Awaitable[None]], ...]] = {
    "nothing": (),
    "instances roll": (rolling,),
    "apps are deployed": (deploying, adding, scaling),
    "leaders fail over": (failing_over, scaling),
    "instances die": (dying,),
    "everything": (rolling, deploying, scaling, adding, failing_over, dying),
    # Without fail-overs: for 90 s, servers that a new leader does not list are kept.
    "under one leader": (rolling, deploying, scaling, adding, dying),
}


def _some() -> str:
    return f"churn{random.randrange(APPS)}"


@asynccontextmanager
async def scene(mode: str, kind: Kind, vhosts: int) -> AsyncIterator[Scene]:
    """Run cluster, proxy and gateway until the block ends."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        directory = Path(name)
        settings = {"event_refresh_interval_sec": 0.25, "ping_interval_sec": 0.5}
        async with (
            cluster(directory, apps=vhosts, instances=10, controllers=3) as there,
            proxy(mode, directory) as driven,
        ):
            for number in range(APPS):
                await there.ask(
                    "deploy",
                    name=f"churn{number}",
                    instances=INSTANCES,
                    real=True,
                    wait_before_kill=_WAIT_BEFORE_KILL,
                    healthy_after=_HEALTHY_AFTER,
                )
            async with gateway(kind, there, driven, directory, settings) as ran:
                made = Scene(there, driven, ran)
                await _ready(made)
                yield made


async def _ready(here: Scene) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline:
        tally = Tally()
        load = Load(here.proxy.port, here.vhosts, rate=100, connections=2, note=tally.note)
        async with load.running():
            await asyncio.sleep(1.0)
        if tally.latencies and not tally.failures:
            return
    raise SystemExit(
        f"{here.gateway.kind.name}: no good response within {_READY_SECONDS:g} s; its log:\n"
        + await asyncio.to_thread(here.gateway.log.read_text)
    )


async def happen(here: Scene, scenario: str) -> int:
    """Repeat the scenario until cancelled. Return at once when nothing happens in it."""
    events = 0
    while SCENARIOS[scenario]:
        for event in SCENARIOS[scenario]:
            await event(here)
            events += 1
            await asyncio.sleep(_BETWEEN_SECONDS)
    return events


async def loaded(
    here: Scene, scenario: str, seconds: float, rate: float, connections: int
) -> dict[str, object]:
    """Send the load for `seconds` while `scenario` happens. Return the row."""
    tally = Tally()
    load = Load(here.proxy.port, here.vhosts, rate=rate, connections=connections, note=tally.note)
    happening = asyncio.create_task(happen(here, scenario))
    async with load.running():
        await asyncio.sleep(seconds)
    await _ended(happening)
    await here.cluster.ask("settled")
    return {
        "requests": tally.requests,
        "failed": tally.failures.total(),
        "by status": dict(sorted(tally.failures.items())) or None,
        "p50 ms": percentile(tally.latencies, 0.5) * 1000,
        "p99 ms": percentile(tally.latencies, 0.99) * 1000,
        "max ms": max(tally.latencies) * 1000,
        "connections made": load.connected,
    }


async def wrk(here: Scene, scenario: str, seconds: float, connections: int) -> dict[str, object]:
    """As `loaded`, by wrk for a single vhost, as fast as it can."""
    command = ("wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--latency")
    happening = asyncio.create_task(happen(here, scenario))
    process = await asyncio.create_subprocess_exec(
        *command,
        *("-H", f"Host: {here.vhosts[0]}", f"http://127.0.0.1:{here.proxy.port}/"),
        stdout=asyncio.subprocess.PIPE,
    )
    printed = (await process.communicate())[0].decode()
    await _ended(happening)
    await here.cluster.ask("settled")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", printed)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", printed)
    failed = int(bad[1]) if bad else 0
    return {
        "requests": int(re.search(r"(\d+) requests in", printed)[1]),  # type: ignore[index]
        "failed": failed + sum(map(int, broken.groups())) if broken else failed,
        "by status": None,
        "p50 ms": _wrk_milliseconds(printed, "50%"),
        "p99 ms": _wrk_milliseconds(printed, "99%"),
        "max ms": None,
        "connections made": None,
    }


def _wrk_milliseconds(printed: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", printed)
    if found is None:
        raise SystemExit(f"wrk reports no latency:\n{printed}")
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]]


async def _ended(task: asyncio.Task[int]) -> None:
    """Cancel the scenario. Raise its error, if it has failed."""
    if not task.done():
        task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench churn", description=__doc__)
    parser.add_argument("--mode", choices=MODES, action="append")
    parser.add_argument("--scenario", choices=list(SCENARIOS), action="append")
    parser.add_argument("--seconds", type=float, default=30, help="of each scenario")
    parser.add_argument("--rate", type=float, default=1000, help="requests a second")
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--vhosts", type=int, default=100, help="beside those under load")
    parser.add_argument("--gateway", action="append", default=[], metavar="COMMAND")
    parser.add_argument("--template", default="", help="shipped, plain, or a file")
    parser.add_argument("--wrk", action="store_true", help="create the load by wrk")
    return parser.parse_args()


async def measure(chosen: argparse.Namespace) -> list[dict[str, object]]:
    """Measure every proxy, gateway and scenario."""
    rows = []
    for mode in chosen.mode or MODES:
        for kind in kinds(chosen.gateway, chosen.template):
            found = []
            async with scene(mode, kind, chosen.vhosts) as here:
                for scenario in chosen.scenario or SCENARIOS:
                    named = {"gateway": kind.name, "proxy": mode, "meanwhile": scenario}
                    if chosen.wrk:
                        measured = await wrk(here, scenario, chosen.seconds, chosen.connections)
                    else:
                        measured = await loaded(
                            here, scenario, chosen.seconds, chosen.rate, chosen.connections
                        )
                    found.append(named | measured)
            show(f"{mode}, {kind.name}", found)
            rows += found
    return rows


def main() -> None:
    """Measure, print and save the results."""
    chosen = options()
    if chosen.wrk and shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    announce(
        f"{chosen.seconds:g} s each, {chosen.connections} connections, "
        + ("as fast as wrk goes" if chosen.wrk else f"{chosen.rate:g} requests a second")
    )
    print(f"\nWritten to {save('churn', asyncio.run(measure(chosen)))}")


if __name__ == "__main__":
    main()
