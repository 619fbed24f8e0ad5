"""Host names to addresses, for proxies that take only addresses over their runtime API.

A name that was resolved once never waits for the resolver again: its last address serves until a
newer answer comes, also when the resolver fails (RFC 8767). `Resolver.run` asks again in the
background, so that a changed address is followed.
"""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TypeAlias

import msgspec

from drove_gateway.model.health import HealthSection, of_names
from drove_gateway.model.vocabulary import Topology
from drove_gateway.model.wording import first_and_more

Lookup: TypeAlias = Callable[[str], Awaitable[Sequence[str]]]

FRESH_SECONDS = 10.0
"""How long the address of a host name is used before the name is looked up again."""

# Enough to resolve a large cluster's executors at once, few enough for any resolver.
_PARALLEL = 32
# A name without an address keeps a server out of traffic, so it is looked up more often.
_RETRY_SECONDS = 1.0
_NAMED_IN_HEALTH = 5


class Resolved(msgspec.Struct, frozen=True):
    """The result of looking up names. A name in neither `addresses` nor `failed` has no result yet.

    `stale` are the names whose last address stays in use although the resolver failed, `failed`
    the names that never had an address; both with the reason.
    """

    addresses: Mapping[str, str]
    stale: Mapping[str, str]
    failed: Mapping[str, str]


class _Record(msgspec.Struct):
    """What is known of a name. `due` is the time of its next look-up."""

    address: str = ""
    answered: float = 0.0
    problem: str = ""
    due: float = 0.0


class Resolver:
    """Remembers the address of every name in use.

    `lookup` gives a name's addresses and raises OSError; each lookup may take `timeout` seconds,
    waiting for its turn included. An answer is good for `ttl` seconds by `clock`.
    """

    def __init__(
        self, lookup: Lookup, *, timeout: float, ttl: float, clock: Callable[[], float]
    ) -> None:
        self._lookup = lookup
        self._timeout = timeout
        self._ttl = ttl
        self._clock = clock
        self._records: dict[str, _Record] = {}
        self._flying: set[str] = set()
        self._turns = asyncio.Semaphore(_PARALLEL)
        self._new_names = asyncio.Event()

    def known(self, names: Collection[str]) -> Resolved:
        """Return what is known of `names` now, without waiting; `run` looks up the others."""
        addresses, stale, failed = {}, {}, {}
        for name in names:
            if is_address(name):
                addresses[name] = name
                continue
            record = self._records.get(name)
            if record is None:
                self._records[name] = _Record()
                self._new_names.set()
                continue
            if record.address:
                addresses[name] = record.address
                if record.problem:
                    stale[name] = record.problem
            elif record.problem:
                failed[name] = record.problem
        return Resolved(addresses, stale, failed)

    async def resolve(self, names: Collection[str]) -> Resolved:
        """As `known`, but wait for names that were never looked up, at most `timeout` seconds."""
        unanswered = [
            name
            for name in dict.fromkeys(names)
            if not is_address(name) and not self._answered(name)
        ]
        await asyncio.gather(*map(self._ask, unanswered))
        return self.known(names)

    async def refresh(self) -> frozenset[str]:
        """Look up every name that is due, and return the names whose address changed."""
        due = self._due()
        moved = await asyncio.gather(*map(self._ask, due))
        return frozenset(name for name, has_moved in zip(due, moved, strict=True) if has_moved)

    def retain(self, names: Collection[str]) -> None:
        """Forget every name except `names`."""
        for name in self._records.keys() - set(names):
            del self._records[name]

    async def run(self, changed: Callable[[str], None]) -> None:
        """Look up names when they are due, until cancelled; report each name with a new address."""
        async with asyncio.TaskGroup() as lookups:
            while True:
                for name in self._due():
                    self._flying.add(name)
                    lookups.create_task(self._follow(name, changed))
                self._new_names.clear()
                pause = min((record.due for record in self._idle()), default=float("inf"))
                try:
                    async with asyncio.timeout(min(max(pause - self._clock(), 0.01), self._ttl)):
                        await self._new_names.wait()
                except TimeoutError:
                    continue

    def health(self, topology: Topology | None = None) -> HealthSection:
        """Healthy while every name in use has an address that the resolver still confirms.

        Names of some vhosts of `topology` are a fault of these.
        """
        stale = {name: r.problem for name, r in self._records.items() if r.problem and r.address}
        failed = {
            name: r.problem for name, r in self._records.items() if r.problem and not r.address
        }
        if not stale and not failed:
            return HealthSection()
        parts = []
        if failed:
            parts.append(f"no address, left out of traffic: {_listed(failed)}")
        if stale:
            parts.append(f"resolver fails, last known address serves: {_listed(stale)}")
        section = HealthSection(healthy=False, message="; ".join(parts))
        return of_names(section, {*failed, *stale}, topology)

    def _answered(self, name: str) -> bool:
        record = self._records.get(name)
        return record is not None and bool(record.address or record.problem)

    def _due(self) -> list[str]:
        now = self._clock()
        return [
            name
            for name, record in self._records.items()
            if record.due <= now and name not in self._flying
        ]

    def _idle(self) -> list[_Record]:
        return [record for name, record in self._records.items() if name not in self._flying]

    async def _follow(self, name: str, changed: Callable[[str], None]) -> None:
        try:
            if await self._ask(name):
                changed(name)
        finally:
            self._flying.discard(name)
            self._new_names.set()

    async def _ask(self, name: str) -> bool:
        """Look `name` up and remember what came; gives whether its address is another one."""
        record = self._records.setdefault(name, _Record())
        try:
            async with asyncio.timeout(self._timeout), self._turns:
                answer = list(await self._lookup(name))
            if not answer:
                raise OSError("the answer has no address")  # noqa: TRY301
        except TimeoutError:
            self._note_failure(record, f"no answer within {self._timeout:g} s")
            return False
        except (OSError, UnicodeError) as error:
            self._note_failure(record, getattr(error, "strerror", None) or str(error))
            return False
        now = self._clock()
        before = record.address
        record.address = before if before in answer else answer[0]
        record.answered, record.due, record.problem = now, now + self._ttl, ""
        return record.address != before

    def _note_failure(self, record: _Record, reason: str) -> None:
        now = self._clock()
        record.due = now + min(self._ttl, _RETRY_SECONDS)
        if record.address:
            reason += f", {record.address} is {now - record.answered:.0f} s old"
        record.problem = reason


def is_address(text: str) -> bool:
    """Whether `text` is an IPv4 or IPv6 address and needs no resolver."""
    try:
        socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return True


async def system_lookup(name: str) -> Sequence[str]:
    """The addresses that the machine's resolver gives for `name`, in its order of preference.

    `getaddrinfo` blocks for as long as the resolver does. It runs in a thread of its own, so that
    a hanging resolver neither occupies the event loop's threads nor holds up the program's end.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[str]] = loop.create_future()

    def settle(addresses: list[str], error: Exception | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(addresses)

    def ask() -> None:
        addresses: list[str] = []
        problem: Exception | None = None
        try:
            found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        except (OSError, UnicodeError) as error:
            problem = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, addresses, problem)

    threading.Thread(target=ask, name=f"resolve {name}", daemon=True).start()
    return await answer


def _listed(problems: Mapping[str, str]) -> str:
    shown = [f"{name} ({problem})" for name, problem in sorted(problems.items())]
    return first_and_more(shown, _NAMED_IN_HEALTH, separator=", ")
