"""Connecting to missing servers: who is dead, who is not, and at what cost."""

import asyncio
import contextlib
import errno
import socket
import time
from collections.abc import AsyncIterator, Collection, Mapping

import msgspec
import pytest
from tests.acceptance.pulse import LONGEST_STALL_SECONDS, Pulse
from tests.waiting import until

from drove_gateway.acceptance.probing import LIMIT_SECONDS, Probing, refuses_connections


class Found(msgspec.Struct, frozen=True):
    """What a resolver knows."""

    addresses: Mapping[str, str]


class Names:
    """A resolver that knows these names, and every IP address."""

    def __init__(self, known: Mapping[str, str] = {}) -> None:
        self._known = known

    async def resolve(self, names: Collection[str]) -> Found:
        found = {name: name for name in names if name[0].isdigit()}
        return Found(
            {**found, **{name: self._known[name] for name in names if name in self._known}}
        )


class Servers:
    """Servers by address. Connections are counted, in all and at once."""

    def __init__(self, dead: Collection[str] = (), silent: Collection[str] = ()) -> None:
        self.dead = set(dead)
        self.silent = set(silent)
        self.connections = 0
        self.parallel = 0
        self.most = 0

    async def connect(self, address: str, _: int) -> bool:
        self.connections += 1
        self.parallel += 1
        self.most = max(self.most, self.parallel)
        try:
            if address in self.silent:
                await asyncio.sleep(3600)
            return address in self.dead
        finally:
            self.parallel -= 1


@contextlib.asynccontextmanager
async def running(
    servers: Servers, names: Names | None = None
) -> AsyncIterator[tuple[Probing, list[float]]]:
    """Probing at work, and when it had new results."""
    probing = Probing(names or Names(), clock=time.monotonic, connect=servers.connect)
    changes: list[float] = []

    async def changed() -> None:
        changes.append(time.monotonic())

    task = asyncio.create_task(probing.run(changed))
    try:
        yield probing, changes
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def test_refused_connections_differ_from_accepted() -> None:
    async with running(Servers(dead=["10.0.0.1"])) as (probing, changes):
        probing.want({("10.0.0.1", 80), ("10.0.0.2", 80)})
        await until(lambda: bool(changes))
        assert probing.dead() == {("10.0.0.1", 80): True, ("10.0.0.2", 80): False}


async def test_server_that_does_not_respond_within_a_second_is_dead() -> None:
    async with running(Servers(silent=["10.0.0.1"])) as (probing, _):
        begin = time.monotonic()
        probing.want({("10.0.0.1", 80)})
        await until(lambda: probing.dead() == {("10.0.0.1", 80): True})
        assert 0.9 < time.monotonic() - begin < 3


async def test_process_that_stood_still_says_nothing_about_the_server() -> None:
    """As a machine that was suspended: the time-out comes before the accepted connection."""
    servers = Servers(silent=["10.0.0.1"])
    async with running(servers) as (probing, changes):
        probing.want({("10.0.0.1", 80)})
        await until(lambda: servers.parallel == 1)
        time.sleep(LIMIT_SECONDS + 1)  # noqa: ASYNC251 - the process stands still
        await until(lambda: bool(changes))
        assert probing.dead() == {}
        await until(lambda: probing.dead() == {("10.0.0.1", 80): True}, 5)


async def test_names_are_resolved_and_unknown_names_count_as_alive() -> None:
    names = Names({"ex1.dc": "10.0.0.1"})
    async with running(Servers(dead=["10.0.0.1"]), names) as (probing, changes):
        probing.want({("ex1.dc", 80), ("ex2.dc", 80)})
        await until(lambda: bool(changes))
        assert probing.dead() == {("ex1.dc", 80): True, ("ex2.dc", 80): False}


class Exhausted(Servers):
    """A machine that has no file left for a connection."""

    async def connect(self, address: str, _: int) -> bool:
        raise OSError(errno.EMFILE, f"cannot connect to {address}")


async def test_failure_of_this_machine_says_nothing_about_the_server() -> None:
    async with running(Exhausted()) as (probing, changes):
        probing.want({("10.0.0.1", 80)})
        await until(lambda: bool(changes))
        assert probing.dead() == {("10.0.0.1", 80): False}


async def test_results_are_kept_for_a_moment() -> None:
    servers = Servers()
    async with running(servers) as (probing, changes):
        probing.want({("10.0.0.1", 80)})
        await until(lambda: bool(changes))
        probing.want({("10.0.0.1", 80), ("10.0.0.2", 80)})
        await until(lambda: len(probing.dead()) == 2)
        assert servers.connections == 2


async def test_server_that_dies_while_it_is_held_is_found_in_the_next_round() -> None:
    servers = Servers()
    async with running(servers) as (probing, _):
        probing.want({("10.0.0.1", 80)})
        await until(lambda: probing.dead() == {("10.0.0.1", 80): False})
        servers.dead.add("10.0.0.1")
        await until(lambda: probing.dead() == {("10.0.0.1", 80): True}, 5)


async def test_nothing_is_probed_that_is_not_wanted() -> None:
    servers = Servers()
    async with running(servers) as (probing, changes):
        probing.want({("10.0.0.1", 80)})
        await until(lambda: bool(changes))
        probing.want(())
        before = servers.connections
        probing.want({("10.0.0.2", 80)})
        await until(lambda: ("10.0.0.2", 80) in probing.dead())
        assert servers.connections == before + 1


async def test_ten_thousand_servers_are_worked_off_within_seconds() -> None:
    """A third of the machines is gone; the others refuse or accept."""
    machines = [f"10.0.{n // 250}.{n % 250 + 1}" for n in range(300)]
    servers = Servers(dead=machines[100:200], silent=machines[200:])
    wanted = {(machine, 31000 + n) for machine in machines for n in range(34)}
    async with running(servers) as (probing, _):
        begin = time.monotonic()
        async with Pulse.beating() as pulse:
            probing.want(wanted)
            await until(lambda: len(probing.dead()) == len(wanted), 20)
        assert time.monotonic() - begin < 10
        assert pulse.longest < LONGEST_STALL_SECONDS
        assert sum(probing.dead().values()) == 2 * len(wanted) // 3
        assert servers.most <= 1000


@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
async def test_real_connections_are_accepted_or_refused(family: str) -> None:
    kind = socket.AF_INET6 if ":" in family else socket.AF_INET
    with socket.socket(kind, socket.SOCK_STREAM) as listening:
        listening.bind((family, 0))
        port = listening.getsockname()[1]
        listening.listen()
        assert not await refuses_connections(family, port)
    assert await refuses_connections(family, port)
