"""Connects to missing servers, to find out which of them are dead."""

import asyncio
import contextlib
import errno
import resource
import socket
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Protocol

import msgspec

from drove_gateway.acceptance.missing import Address

LIMIT_SECONDS = 1.0
"""A server that has not accepted a connection by then cannot be reached."""

# A process that stands still sees its time-outs late, and before connections that were accepted.
_LATE_SECONDS = 0.5
_ROUND_SECONDS = 2.0
_REPORT_SECONDS = 0.2
_REST_PER_REPORT = 10.0
# A result that is older is no longer used.
_FRESH_SECONDS = 5.0
# Connections that are open at once; a part of what the process may open.
_MOST_PARALLEL = 1000
_SHARE_OF_FILES = 4
# After so many time-outs and nothing else, a machine is not reached in this round.
_UNREACHABLE_AFTER = 8
_DEAD = frozenset({errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ECONNRESET})

Connect = Callable[[str, int], Awaitable[bool]]
"""Whether the server at an IP address and port is dead. Raises OSError when that is not known."""

Changed = Callable[[], Awaitable[None]]
"""Is called when there are new results."""


class Names(Protocol):
    """The addresses of host names, from a cache."""

    async def resolve(self, names: Collection[str]) -> "Resolved":
        """Return what is known, after waiting for names that were never looked up."""
        ...


class Resolved(Protocol):
    """What is known of names: the address of each that has an address."""

    @property
    def addresses(self) -> Mapping[str, str]: ...


class ProbeResult(msgspec.Struct, frozen=True, gc=False):
    """Whether a server was dead, and when that was found."""

    at: float
    dead: bool


class Probing:
    """Probes the servers that are `wanted`, in rounds, as long as there are any.

    What cannot be found out, because a name has no address or this machine has no file left, counts
    as alive.
    """

    def __init__(
        self,
        names: Names,
        *,
        clock: Callable[[], float],
        connect: Connect | None = None,
    ) -> None:
        self._names = names
        self._clock = clock
        self._connect = connect or refuses_connections
        self._wanted: frozenset[Address] = frozenset()
        self._results: dict[Address, ProbeResult] = {}
        self._new = asyncio.Event()

    def want(self, addresses: Collection[Address]) -> None:
        """Probe these servers from now on, and no others."""
        wanted = frozenset(addresses)
        if not wanted <= self._wanted:
            self._new.set()
        self._wanted = wanted

    def dead(self) -> Mapping[Address, bool]:
        """Return the recent results: whether each server is dead."""
        oldest = self._clock() - _FRESH_SECONDS
        return {address: r.dead for address, r in self._results.items() if r.at >= oldest}

    async def run(self, changed: Changed) -> None:
        """Probe until cancelled; call `changed` when there are new results, some times a second."""
        while True:
            if not self._wanted:
                await self._new.wait()
            self._new.clear()
            await self._round(changed)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_ROUND_SECONDS):
                    await self._new.wait()

    async def _round(self, changed: Changed) -> None:
        oldest = self._clock() - _FRESH_SECONDS
        self._results = {a: r for a, r in self._results.items() if r.at >= oldest}
        recent = self._clock() - _ROUND_SECONDS / 2
        due = [a for a in self._wanted if a not in self._results or self._results[a].at < recent]
        if not due:
            return
        names = (await self._names.resolve({host for host, _ in due})).addresses
        rounds = _Round(iter(await asyncio.to_thread(sorted, due)), names)
        parallel = min(_MOST_PARALLEL, _files() // _SHARE_OF_FILES, len(due))
        async with asyncio.TaskGroup() as group:
            reporting = group.create_task(_report(changed))
            await asyncio.gather(*(self._probe_each(rounds) for _ in range(parallel)))
            reporting.cancel()
        await changed()

    async def _probe_each(self, rounds: "_Round") -> None:
        for address in rounds.due:
            dead = await self._is_dead(address, rounds)
            if dead is not None:
                self._results[address] = ProbeResult(self._clock(), dead)
            # A connection to this machine is refused without waiting.
            await asyncio.sleep(0)

    async def _is_dead(self, address: Address, rounds: "_Round") -> bool | None:
        """Return whether the server is dead, None when this process stood still meanwhile."""
        host, port = address
        target = rounds.addresses.get(host, "")
        if not target:
            return False
        if rounds.is_unreachable(target):
            return True
        started = self._clock()
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                dead = await self._connect(target, port)
        except TimeoutError:
            if self._clock() > started + LIMIT_SECONDS + _LATE_SECONDS:
                return None
            rounds.silent[target] += 1
            return True
        except OSError:
            return False
        rounds.answering.add(target)
        return dead


async def _report(changed: Changed) -> None:
    pause = _REPORT_SECONDS
    while True:
        await asyncio.sleep(pause)
        begin = time.monotonic()
        await changed()
        # A judgement of very many servers takes its time, and must leave some to all others.
        pause = max(_REPORT_SECONDS, _REST_PER_REPORT * (time.monotonic() - begin))


class _Round:
    """The servers that are due, and what was found of their machines."""

    def __init__(self, due: Iterator[Address], addresses: Mapping[str, str]) -> None:
        self.due = due
        self.addresses = addresses
        self.silent: Counter[str] = Counter()
        self.answering: set[str] = set()

    def is_unreachable(self, target: str) -> bool:
        """Whether so many connections timed out, and no other, that more would tell nothing new."""
        return self.silent[target] >= _UNREACHABLE_AFTER and target not in self.answering


async def refuses_connections(address: str, port: int) -> bool:
    """Return whether nothing accepts a TCP connection there.

    Raises OSError for a failure of this machine, which says nothing about the server.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as connection:
        try:
            await asyncio.get_running_loop().sock_connect(connection, (address, port))
        except OSError as error:
            if error.errno in _DEAD:
                return True
            raise
    return False


def _files() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
