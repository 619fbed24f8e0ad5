"""The servers in the proxy as last read, and the way from there to a topology.

What was read is kept, so that a change costs a look at the changed vhosts only. Everything that
writes to the runtime API does so under `Engine.lock`.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias

import msgspec

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.desired import DesiredServers
from drove_gateway.proxies.runtime.ledger import Entry, Ledger, Stage
from drove_gateway.proxies.runtime.operator_states import held_servers, operator_states
from drove_gateway.proxies.runtime.planner import additions_first, changes, settled
from drove_gateway.proxies.runtime.resolver import Resolver, is_address
from drove_gateway.proxies.runtime.servers import (
    REMOVALS,
    Action,
    Batch,
    Change,
    DesiredBackend,
    ObservedBackends,
    ObservedServer,
    Result,
    WrittenServer,
    after,
    drained_names,
    note_unwritten,
    problems,
)

# Another round settles what the one before found different from what had been read.
_ROUNDS = 4
# An audit that reads backends one by one leaves room for changes between so many.
_AUDITED_AT_ONCE = 2

# The due backends and what was known when their changes were planned.
_Planned: TypeAlias = tuple[tuple[DesiredBackend, ...], tuple[object, ...], list[Change]]


def _nothing_written(backend: str) -> None:
    """Servers are added as the settings say."""


class SyncResult(msgspec.Struct, frozen=True):
    """What was done, and the backends that are not up to date, with the reason."""

    done: tuple[Change, ...] = ()
    failed: Mapping[str, str] = {}


class Engine:
    """Keeps what is known of the proxy's servers and changes them.

    `seen` has the servers of every backend that is known to be in the proxy; `trusted` says
    whether that is still believed. `missing` names backends that the proxy does not have, with
    the vhost that wants each. `refused` names those whose servers it does not change at runtime,
    with its words: they need a reload. `held` lists the servers that an operator took out of
    traffic, as of the last audit. `removals` and `probes` are set when there is something new to
    wait for. `fills_missing`: a backend that seems to be missing may only be empty, and gets its
    servers nevertheless. `notes_missing`: no reload will bring missing backends. `loads` counts
    other processes that were met. `written` returns how the configuration has the servers of a
    backend; `unwritten` are servers, by backend and name, that were added without knowing that.
    """

    def __init__(
        self,
        adapter: Adapter,
        desired: DesiredServers,
        resolver: Resolver,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.lock = asyncio.Lock()
        self.adapter = adapter
        self.desired = desired
        self.ledger = Ledger()
        self.seen: dict[str, Sequence[ObservedServer]] = {}
        self.trusted = False
        self.missing: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self.held: list[tuple[str, str]] = []
        self.removals = asyncio.Event()
        self.probes = asyncio.Event()
        self.fills_missing = False
        self.notes_missing = False
        self.loads = 0
        self.written: Callable[[str], Mapping[str, WrittenServer] | None] = _nothing_written
        self.unwritten: set[tuple[str, str]] = set()
        self._resolver = resolver
        self._clock = clock
        self._exact: set[str] = set()
        self._was_read = False
        self._version = 0
        self._planned: _Planned | None = None

    @property
    def known(self) -> bool:
        """Whether anything was read of what the proxy has."""
        return self.trusted or (self._was_read and not self.adapter.abilities.reads_everything)

    def pending(self, topology: Topology, skip: Collection[str] = ()) -> list[Change]:
        """What is to be done for `topology` by what is known, additions and updates first."""
        due = self.desired.due(topology)
        known = (self._version, self.ledger.version)
        if self._planned is None or self._planned[0] is not due or self._planned[1] != known:
            found = [
                change
                for backend in due
                if backend.name in self.seen
                for change in self._changes(backend)
            ]
            found.sort(key=lambda change: change.action in REMOVALS)
            self._planned = due, known, found
        return [change for change in self._planned[2] if change.backend not in skip]

    async def bring(
        self, topology: Topology, waits: Callable[[DesiredBackend], bool] = lambda _: False
    ) -> SyncResult:
        """Make the servers those of `topology`, except in the backends that must wait.

        Raises RuntimeApiError when the API cannot be reached or breaks off; what it concerned
        counts as unknown then.
        """
        async with self.lock:
            due = self.desired.due(topology)
            waiting = {backend.name for backend in due if waits(backend)}
            if self.adapter.abilities.reads_everything:
                if not self.trusted:
                    await self._read_all()
                return await self._bring(topology, waiting, ())
            if not self.adapter.abilities.named_by_host:
                names = self.desired.names(due, topology)
                if not all(map(is_address, names)):
                    await self._resolver.resolve(names)
                    self.desired.forget_due()
            stale = [b.name for b in self.desired.due(topology) if b.name not in waiting]
            return await self._bring(topology, waiting, stale)

    async def audit(self, desired: Callable[[], Topology]) -> list[Change]:
        """Read every server again; return what differs from `desired`, which is now pending."""
        everything = self.adapter.abilities.reads_everything
        for backends in (None,) if everything else self.desired.pieces(_AUDITED_AT_ONCE):
            async with self.lock:
                await self._read_again(backends)
        async with self.lock:
            topology = desired()
            if not self.adapter.abilities.hides_empty:
                self.look_for_backends(topology)
            self.held = held_servers(topology, self.adapter, self.seen, self.ledger)
            drift = self.pending(topology)
            self._exact |= {change.backend for change in drift}
            self._settle(topology, {change.backend for change in drift})
            return drift

    async def read_for(self, topology: Topology) -> Mapping[str, str]:
        """Read what concerns `topology` without changing anything; return what cannot be read."""
        if self.adapter.abilities.reads_everything:
            await self._read_all()
            problems: Mapping[str, str] = {}
        else:
            names = {backend.name for backend in self.desired.due(topology)}
            problems = (await self.read(names, exact=names)).problems
            self._was_read = True
        self.look_for_backends(topology, unread=problems.keys())
        self.held = held_servers(topology, self.adapter, self.seen, self.ledger)
        return problems

    def look_for_backends(self, topology: Topology, unread: Collection[str] = ()) -> None:
        """Find the backends of `topology` that the proxy does not have."""
        self.missing = {
            backend: app.vhost
            for app in (topology.apps.values() if self.known else ())
            for backend, hosts in self.adapter.backends(app).items()
            if backend not in self.seen and backend not in unread and self.adapter.balances(hosts)
        }

    def _note_missing(self, topology: Topology) -> None:
        """Find those of the due backends that the proxy does not have."""
        due = {backend.name: backend for backend in self.desired.due(topology)}
        found = {name: b.vhost for name, b in due.items() if name not in self.seen}
        still = {b: v for b, v in self.missing.items() if b not in due and v in topology.apps}
        self.missing = still | {b: v for b, v in found.items() if v in topology.apps}

    def forget(self) -> None:
        """Another process answers: nothing is known of it."""
        self.refused = {}
        self.unwritten = set()
        self.loads += 1
        if not self.adapter.abilities.drains_survive_reload:
            self.ledger.loaded_anew()
        self.doubt(f"{self.adapter.name} was loaded anew")

    def replan(self) -> None:
        """The configuration has servers in another way: forget what was planned."""
        self._version += 1

    def doubt(self, reason: str, backends: Collection[str] | None = None) -> None:
        """What was read of `backends`, or of all, may not be true any more; what the gateway
        itself did still is."""
        if backends is None or self.adapter.abilities.reads_everything:
            self.trusted = False
            self.desired.look_again(reason)
        else:
            self.desired.look_again_at(backends, reason)

    async def operator_states(self) -> Sequence[Change]:
        """Under the lock, return what restores after a reload what an operator set on servers."""
        if not self.adapter.abilities.reload_resets:
            return ()
        # Where the API does not respond, what was read last is the best that is known.
        with contextlib.suppress(RuntimeApiError):
            await self._read_all()
        return tuple(operator_states(self.seen, self.ledger.of))

    async def carry_out(self, pending: Sequence[Change]) -> Sequence[tuple[Change, Result]]:
        """Carry out `pending` in one batch, under the lock, and remember the outcome.

        Raises RuntimeApiError; what the batch concerned counts as unknown then.
        """
        self.ledger.begin_all(pending, self._clock())
        try:
            batch = await self.adapter.carry_out(pending)
        except BaseException:
            self.doubt("a change was interrupted", {change.backend for change in pending})
            raise
        pairs = tuple(zip(pending, batch.results, strict=True))
        self._remember(batch, pairs)
        self.ledger.end_all(pairs, self.seen, self._clock())
        if self.adapter.makes_backends:
            note_unwritten(self.unwritten, pending)
        self.refused |= problems(pairs, {"needs reload"})
        actions = {change.action for change, result in pairs if result.state == "done"}
        if Action.PROBE in actions:
            self.probes.set()
        if Action.DRAIN in actions:
            self.removals.set()
        return pairs

    async def read(
        self, backends: Collection[str], exact: Collection[str] = ()
    ) -> ObservedBackends:
        """Read `backends` under the lock and remember what was found."""
        observed = await self.adapter.observe(backends, exact=exact)
        self._version += 1
        for backend in backends:
            if backend in observed.backends:
                self.seen[backend] = observed.backends[backend]
            elif backend in observed.problems:
                continue
            elif self.fills_missing:
                self.seen[backend] = ()
            else:
                self.seen.pop(backend, None)
        return observed

    def server(self, backend: str, name: str) -> ObservedServer | None:
        """The server as it was read last."""
        return next((s for s in self.seen.get(backend, ()) if s.name == name), None)

    def drop(self, backend: str) -> None:
        """Remember that a backend was deleted."""
        self._version += 1
        self.seen.pop(backend, None)

    def hold(self, held: Mapping[str, Collection[str]]) -> None:
        """Remember that the gateway put servers in maintenance, by backend and name."""
        self._version += 1
        for backend in held.keys() & self.seen.keys():
            self.seen[backend] = [
                msgspec.structs.replace(server, held="maintenance", serving=False)
                if server.name in held[backend]
                else server
                for server in self.seen[backend]
            ]

    async def _bring(
        self, topology: Topology, waiting: Collection[str], stale: Collection[str]
    ) -> SyncResult:
        done: list[Change] = []
        failed: dict[str, str] = {}
        outdated: dict[str, str] = {}
        for _ in range(_ROUNDS):
            if stale:
                failed |= await self._refresh(stale, outdated)
            pending = self.pending(topology, failed.keys() | waiting)
            if not pending:
                break
            desired = {backend.name: backend for backend in self.desired.due(topology)}
            pairs = await self.carry_out(additions_first(pending, desired, self.seen))
            done += [change for change, result in pairs if result.state == "done"]
            failed = problems(pairs, {"refused", "needs reload"}) | failed
            stale = outdated = problems(pairs, {"outdated", "busy"})
        else:
            for change in self.pending(topology, failed.keys() | waiting):
                why = outdated.get(change.backend) or f"{change.name} {change.reason}"
                failed[change.backend] = f"{why}, after {_ROUNDS} tries"
        if self.notes_missing:
            self._note_missing(topology)
        self._settle(topology, failed.keys() | waiting)
        self._was_read = True
        return SyncResult(tuple(done), failed)

    async def _refresh(
        self, backends: Collection[str], outdated: Collection[str]
    ) -> Mapping[str, str]:
        """Read backends again; return the problems. Raises RuntimeApiError.

        Which server of an `outdated` backend is now in drain and was not before, a call of the
        gateway met instead of another.
        """
        before = {backend: drained_names(self.seen.get(backend, ())) for backend in outdated}
        exact = {b for b in backends if b in self._exact or self.ledger.of(b)}
        try:
            observed = await self.read(backends, exact)
        except BaseException:
            self.doubt("reading was interrupted", backends)
            raise
        for backend, earlier in before.items():
            for name in drained_names(self.seen.get(backend, ())) - earlier:
                self.ledger.note(backend, name, Entry(Stage.DRAINING, self._clock()))
        return observed.problems

    async def _read_all(self) -> None:
        """Read everything; what was known before stays known until then."""
        try:
            self.seen = dict((await self.adapter.observe(None)).backends)
        except BaseException:
            self.doubt("reading was interrupted")
            raise
        self.trusted = True
        self._version += 1

    async def _read_again(self, backends: Sequence[str] | None) -> None:
        if backends is None:
            before, trusted = self.seen, self.trusted
            await self._read_all()
            if not trusted:
                self.desired.look_again("the servers were read again")
                return
            names: Collection[str] = before.keys() | self.seen.keys()
        else:
            before = {name: self.seen[name] for name in backends if name in self.seen}
            await self.read(backends, exact=backends)
            names = backends
        differing = {name for name in names if before.get(name) != self.seen.get(name)}
        # An apply that comes before the end of the audit reads again what it has to look at.
        right = {b.name for b in self.desired.applied(differing) if self._is_right(b)}
        self.desired.look_again_at(differing - right, "its servers were changed by another program")

    def _is_right(self, backend: DesiredBackend) -> bool:
        seen, ledger = self.seen.get(backend.name), self.ledger.of(backend.name)
        if seen is None or ledger or self._changes(backend):
            return False
        return settled(backend, seen, ledger)

    def _remember(self, batch: Batch, pairs: Sequence[tuple[Change, Result]]) -> None:
        self._version += 1
        if batch.observed is not None:
            for backend in {c.backend for c, _ in pairs} - batch.observed.problems.keys():
                self.seen.pop(backend, None)
            self.seen |= batch.observed.backends
            return
        by_backend: dict[str, list[tuple[Change, Result]]] = {}
        for change, result in pairs:
            by_backend.setdefault(change.backend, []).append((change, result))
        for backend, its in by_backend.items():
            if backend in self.seen:
                self.seen[backend] = after(self.seen[backend], its)

    def _changes(self, backend: DesiredBackend) -> list[Change]:
        ledger = self.ledger.of(backend.name)
        written = self.written(backend.name) or {}
        return changes(backend, self.seen[backend.name], ledger, self.adapter.abilities, written)

    def _settle(self, topology: Topology, unfinished: Collection[str]) -> None:
        def is_settled(backend: DesiredBackend) -> bool:
            name = backend.name
            if name in unfinished:
                return False
            if name not in self.seen:
                return not self.adapter.abilities.hides_empty
            if self.ledger.of(name):
                serving = {server.name for server in self.seen[name] if not server.held}
                self.ledger.strike_finished(name, serving & {s.name for s in backend.servers})
            return settled(backend, self.seen[name], self.ledger.of(name))

        self._exact &= set(unfinished)
        self.desired.settle(topology, is_settled)
