"""How cost grows with the cluster: time by step, memory, CPU while nothing happens.

For each size two things are measured. First, in a child process, each step from a response to a
real HAProxy: for the first response, and for a single server that changed. Then the daemon between
a simulated cluster and a real HAProxy: its memory, and its CPU while nothing changes at a poll a
second, after the 91 s in which a new leader is polled more often.

Options: `--servers` (may be repeated), `--rounds`, `--idle SECONDS`, `--no-daemon`.
"""

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bench.report import RESULTS, announce, save, show
from bench.rig.answers import INSTANCES, answer, write
from bench.rig.chart import Line, chart
from bench.rig.cluster import cluster
from bench.rig.gateway import Gateway, gateway, kinds
from bench.rig.numbers import power_law
from bench.rig.proxies import proxy
from bench.rig.usage import children, usage

from drove_gateway.demo.daemon import nixy_toml
from drove_gateway.proxies.local import LocalProxy
from drove_gateway.templates import shipped

SIZES = (1_000, 10_000, 50_000, 100_000)
CHANGES = 5
# Until then a new leader is polled for endpoints again and again.
_SETTLED_SECONDS = 95.0
_START_SECONDS = 600.0
_DECIDED = ("decode", "guard", "topology", "plan")
_PAST_DECODING = ("guard", "topology", "plan", "apply")

Steps = Mapping[str, float]


async def steps(servers: int) -> dict[str, Steps]:
    """Return milliseconds by step, measured in a child process with a new HAProxy."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        directory = Path(name)
        files = await asyncio.to_thread(write, directory, servers, CHANGES)
        async with proxy("haproxy-runtime", directory) as haproxy:
            config = _config(directory, haproxy)
            command = (sys.executable, "-m", "bench.rig.cost", str(config), *map(str, files))
            process = await asyncio.create_subprocess_exec(
                *command, stdout=subprocess.PIPE, env={**os.environ, **haproxy.environ}
            )
            printed, _ = await process.communicate()
    if process.returncode:
        raise SystemExit(f"{servers} servers: the measurement failed")
    found: dict[str, Steps] = json.loads(printed)
    return found


def _config(directory: Path, haproxy: LocalProxy) -> Path:
    config = directory / "nixy.toml"
    haproxy.template.write_text(shipped(haproxy.kind))
    settings = {**haproxy.settings, "command_timeout_sec": 120, "api_timeout": 60}
    config.write_text(nixy_toml(settings, namespace="bench", urls=["http://127.0.0.1:4000"]))
    return config


def medians(rounds: Sequence[Mapping[str, Steps]], what: str) -> dict[str, float]:
    """Return the median of each step over the rounds."""
    return {
        name: statistics.median(taken[what].get(name, 0.0) for taken in rounds)
        for name in rounds[0][what]
    }


def first_row(servers: int, first: Mapping[str, float]) -> dict[str, object]:
    """Return the row of the first response: from its bytes to a proxy that serves it."""
    return {
        "servers": servers,
        "answer MB": len(answer(servers)) / 1e6,
        "decode": first["decode"],
        "guard": first["guard"],
        "topology": first["topology"],
        "plan": first["plan"],
        "answer to plan": sum(first[name] for name in _DECIDED),
        "render": first["apply: render"],
        "HAProxy's check": first["apply: check"],
        "HAProxy's reload": first["apply: reload"] + first.get("apply: prove", 0.0),
        "apply": first["apply"],
        "unchanged answer": first["unchanged"],
    }


def change_row(servers: int, change: Mapping[str, float]) -> dict[str, object]:
    """Return the row of a change of a single server."""
    return {
        "servers": servers,
        **{name: change[name] for name in ("decode", "guard", "topology", "diff", "plan", "apply")},
        "past decoding": sum(change[name] for name in _PAST_DECODING),
    }


async def daemon(servers: int, idle: float, starting: asyncio.Lock) -> dict[str, object]:
    """Measure the daemon at work, then at rest. Daemons start in turn and rest together."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        directory = Path(name)
        settings = {
            "event_refresh_interval_sec": 1,
            "command_timeout_sec": 120,
            "api_timeout": 60,
        }
        async with AsyncExitStack() as stack:
            async with starting:
                there = await stack.enter_async_context(
                    cluster(directory, apps=servers // INSTANCES, instances=INSTANCES)
                )
                haproxy = await stack.enter_async_context(proxy("haproxy-runtime", directory))
                begin = time.monotonic()
                ran = await stack.enter_async_context(
                    gateway(kinds([], "")[0], there, haproxy, directory, settings)
                )
                ready = await _applied(ran, servers)
            started = usage(ran.pid)
            await asyncio.sleep(max(0.0, begin + _SETTLED_SECONDS - time.monotonic()))
            settled = usage(ran.pid)
            await asyncio.sleep(idle)
            ended = usage(ran.pid)
            proxies = sum(usage(pid).rss for pid in children(haproxy.pid))
    return {
        "servers": servers,
        "start s": ready - begin,
        "RSS MB": ended.rss / 1e6,
        "peak MB": ended.peak / 1e6,
        "RSS at start MB": started.rss / 1e6,
        "CPU s to start": started.cpu,
        "CPU s in the first 95 s": settled.cpu,
        "CPU % idle": (ended.cpu - settled.cpu) / idle * 100,
        "CPU s an idle minute": (ended.cpu - settled.cpu) / idle * 60,
        "HAProxy's RSS MB": proxies / 1e6,
    }


async def _applied(ran: Gateway, servers: int) -> float:
    """Wait until the gateway has applied everything. Return the moment."""
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        try:
            status = await ran.status()
            done = [it for it in status["history"] if not it["error"] and not it["failed"]]
            if done and status["servers"] == servers and status["reconciler"]["state"] == "idle":
                return time.monotonic()
        except OSError:
            pass
        await asyncio.sleep(0.2)
    raise SystemExit(f"{servers} servers: not applied within {_START_SECONDS:g} s")


def growth(
    firsts: Sequence[Mapping[str, object]], changes: Sequence[Mapping[str, object]]
) -> list[dict[str, object]]:
    """Return the exponent of each column: 1 grows as the cluster does, 0 does not grow."""
    rows = []
    for title, table in (("first answer", firsts), ("one server", changes)):
        sizes = [float(str(row["servers"])) for row in table]
        for column in list(table[0])[1:]:
            costs = [max(float(str(row[column])), 1e-3) for row in table]
            fit = power_law(sizes, costs)
            rows.append(
                {
                    "of": title,
                    "column": column,
                    "exponent": fit.exponent,
                    "explained": fit.explained,
                    "largest / smallest": costs[-1] / costs[0],
                }
            )
    return rows


def draw(firsts: Sequence[Mapping[str, object]], changes: Sequence[Mapping[str, object]]) -> Path:
    """Draw the growth, both axes logarithmic. Return the file."""
    lines = [
        _line(firsts, "answer to plan", "first answer to plan"),
        _line(firsts, "render", "render"),
        _line(firsts, "HAProxy's check", "HAProxy's own check"),
        _line(firsts, "unchanged answer", "unchanged answer"),
        _line(changes, "decode", "one server: decode"),
        _line(changes, "past decoding", "one server: past decoding"),
    ]
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "scale.svg"
    file.write_text(chart("Cost by size of the cluster", "servers", "milliseconds", lines))
    return file


def _line(table: Sequence[Mapping[str, object]], column: str, name: str) -> Line:
    points = [(float(str(row["servers"])), float(str(row[column]))) for row in table]
    return Line(name, tuple((x, max(y, 1e-3)) for x, y in points))


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench scale", description=__doc__)
    parser.add_argument("--servers", type=int, action="append")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of rest")
    parser.add_argument("--no-daemon", action="store_true")
    return parser.parse_args()


async def measure(chosen: argparse.Namespace) -> list[dict[str, object]]:
    """Measure every size in turn."""
    firsts, changes = [], []
    for servers in chosen.servers or SIZES:
        rounds = [await steps(servers) for _ in range(chosen.rounds)]
        firsts.append(first_row(servers, medians(rounds, "first")))
        changes.append(change_row(servers, medians(rounds, "one server")))
    show("The first answer, milliseconds", firsts)
    show("One server changed, milliseconds", changes)
    rows = [*firsts, *changes]
    if len(firsts) > 1:
        grown = growth(firsts, changes)
        show("Growth: cost = factor x servers ^ exponent", grown)
        print(f"\nDrawn in {draw(firsts, changes)}")
        rows += grown
    if not chosen.no_daemon:
        starting = asyncio.Lock()
        sizes = chosen.servers or SIZES
        resting = await asyncio.gather(*(daemon(size, chosen.idle, starting) for size in sizes))
        show(f"The daemon, at rest for {chosen.idle:g} s at a poll a second", resting)
        rows += resting
    return rows


def main() -> None:
    """Measure, print and save the results."""
    chosen = options()
    announce(f"{INSTANCES} servers a vhost, medians of {chosen.rounds} rounds")
    rows = asyncio.run(measure(chosen))
    print(f"\nWritten to {save('scale', rows)}")


if __name__ == "__main__":
    main()
