"""The servers in HAProxy as last read, and the way from there to a topology.

What was read is kept, so that a change costs a look at the changed vhosts only. Everything that
writes to the runtime API does so under `Servers.lock`.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

import msgspec

from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import Reply, RuntimeApi
from drove_gateway.proxies.haproxy.api.replies import Verdict
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.haproxy.api.server_state import ServerState
from drove_gateway.proxies.haproxy.ledger import Entry, Ledger, Stage
from drove_gateway.proxies.haproxy.names import balanced
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.planner import (
    Action,
    Change,
    Target,
    changes,
    commands_for,
    settled,
)
from drove_gateway.proxies.haproxy.targets import Targets

# A second round settles what the first one found different from the last read.
_ROUNDS = 3
# From here on one answer with every server is cheaper than one for each backend.
_MANY_BACKENDS = 64
# A first health check comes within its interval, 2 s by default.
_PROBE_SECONDS = 10.0

_ADDING = Entry(Stage.ADDING)


class Brought(msgspec.Struct, frozen=True):
    """What was done, and the backends that could not be brought up to date, with the reason."""

    done: tuple[Change, ...]
    failed: Mapping[str, str]


class Servers:
    """Keeps what is known of HAProxy's servers and changes them.

    `seen` has every backend that HAProxy has; it is None when nothing is known. `lacking` names
    backends that it does not have, with the vhost that wants each. `refused` names those whose
    servers it would not change at runtime, with its words: they need a reload. `held` lists the
    servers that somebody else took out of traffic, as of the last audit. `removals` and
    `probes` are set when there is something new to wait for, `can_wait` when the process knows
    `wait … srv-removable`.
    """

    def __init__(
        self,
        api: RuntimeApi,
        options: Options,
        targets: Targets,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.lock = asyncio.Lock()
        self.targets = targets
        self.ledger = Ledger()
        self.seen: dict[str, dict[str, ServerState]] | None = None
        self.lacking: dict[str, str] = {}
        self.held: list[tuple[str, str]] = []
        self.refused: dict[str, str] = {}
        self.removals = asyncio.Event()
        self.probes = asyncio.Event()
        self.can_wait = False
        self._api = api
        self._options = options
        self._clock = clock

    def pending(self, topology: Topology, skip: Collection[str] = ()) -> list[Change]:
        """What is to be done for `topology` by what is known, adds and updates first."""
        if self.seen is None:
            return []
        found = [
            change
            for target in self.targets.due(topology)
            if target.backend in self.seen and target.backend not in skip
            for change in self._changes(target)
        ]
        found.sort(key=lambda change: change.action is Action.DRAIN)
        return found

    def look_for_backends(self, topology: Topology) -> None:
        """Find the backends of `topology` that HAProxy does not have."""
        seen = self.seen
        self.lacking = {
            backend: app.vhost
            for app in (topology.apps.values() if seen is not None else ())
            for backend, hosts in self._options.naming.backends(app).items()
            if seen is not None and backend not in seen and balanced(hosts)
        }

    async def bring(self, topology: Topology) -> Brought:
        """Make the servers those of `topology`, and read the touched backends back.

        Raises RuntimeApiError when the API cannot be reached or breaks off; nothing counts as
        known then.
        """
        async with self.lock:
            if self.seen is None:
                await self._read()
            done: list[Change] = []
            failed: dict[str, str] = {}
            for _ in range(_ROUNDS):
                pending = self.pending(topology, failed)
                if not pending:
                    break
                failed |= await self._carry_out(pending)
                done += pending
            for change in self.pending(topology, failed):
                failed[change.backend] = f"{change.name} {change.reason}, after {_ROUNDS} tries"
            self._settle(topology, failed)
            return Brought(tuple(done), failed)

    async def audit(self, topology: Topology) -> list[Change]:
        """Read every server again; gives what differs from `topology`, now pending."""
        async with self.lock:
            before = self.seen
            now = await self._read()
            if before is None:
                self.targets.look_again()
            else:
                backends = before.keys() | now.keys()
                self.targets.look_again_at(
                    {name for name in backends if before.get(name) != now.get(name)}
                )
            self.look_for_backends(topology)
            self.held = self._find_held(topology, now)
            drift = self.pending(topology)
            self._settle(topology, {change.backend for change in drift})
            return drift

    def forget(self) -> None:
        """Nothing is known any more: another process answers."""
        self.seen = None
        self.refused = {}
        self.ledger.clear()
        self.targets.look_again()

    def doubt(self) -> None:
        """What was read may not be true any more; what the gateway itself did still is."""
        self.seen = None
        self.targets.look_again()

    def take(self, backends: Collection[str], replies: Sequence[Reply]) -> None:
        """Remember the servers of `backends` from what `reading` them answered."""
        if self.seen is not None:
            self.seen |= _servers_of(backends, replies)
            for backend, reply in zip(backends, replies, strict=False):
                if reply.verdict is Verdict.NO_BACKEND:
                    del self.seen[backend]

    def reading(self, backends: Collection[str]) -> list[Command]:
        """The commands that read the servers of `backends` back."""
        if len(backends) > _MANY_BACKENDS and not self._options.read_backends_one_by_one:
            return [commands.SHOW_ALL_SERVERS]
        return [commands.show_servers(backend) for backend in backends]

    async def _read(self) -> dict[str, dict[str, ServerState]]:
        """Read everything; what was known before stays known until then."""
        try:
            names = state.backends(await self._api.ask(commands.SHOW_BACKENDS))
            if self._options.read_backends_one_by_one:
                reading = [commands.show_servers(name) for name in names]
            else:
                reading = [commands.SHOW_ALL_SERVERS]
            self.seen = _servers_of(names, await self._api.run(reading))
        except BaseException:
            self.doubt()
            raise
        return self.seen

    def _find_held(
        self, topology: Topology, seen: Mapping[str, Mapping[str, ServerState]]
    ) -> list[tuple[str, str]]:
        naming = self._options.naming
        return [
            (f"{backend}/{name}", f"in {state.held} by hand")
            for app in topology.apps.values()
            for backend in naming.backends(app)
            for name, state in seen.get(backend, {}).items()
            if state.held and naming.is_ours(name) and name not in self.ledger.of(backend)
        ]

    async def _carry_out(self, pending: Sequence[Change]) -> dict[str, str]:
        """Send `pending` in one batch, read back, and give the backends that were refused."""
        for change in pending:
            self._begin(change)
        groups = [commands_for(change, self._options) for change in pending]
        batch = [command for group in groups for command in group]
        backends = list(dict.fromkeys(change.backend for change in pending))
        try:
            replies = await self._api.run([*batch, *self.reading(backends)])
            self.take(backends, replies[len(batch) :])
        except BaseException:
            self.doubt()
            raise
        failed: dict[str, str] = {}
        rest = iter(replies)
        for change, group in zip(pending, groups, strict=True):
            problem = self._problem(change, [next(rest) for _ in group])
            if problem:
                failed.setdefault(change.backend, problem)
            self._end(change, refused=bool(problem))
        return failed

    def _problem(self, change: Change, replies: Sequence[Reply]) -> str:
        """Why `change` cannot be made at runtime; empty when it was, or the next round will."""
        for reply in replies:
            match reply.verdict:
                case Verdict.DONE | Verdict.EXISTS | Verdict.NO_SERVER:
                    continue
                case Verdict.NO_BACKEND:
                    return f"HAProxy has no backend {change.backend}"
                case _:
                    self.refused[change.backend] = str(reply.problem())
                    return self.refused[change.backend]
        return ""

    def _begin(self, change: Change) -> None:
        if change.action is Action.ADD or change.action is Action.PROBE:
            self.ledger.note(change.backend, change.name, _ADDING)
        elif change.action is Action.DRAIN:
            entry = Entry(Stage.DRAINING, self._clock() + change.patience)
            self.ledger.note(change.backend, change.name, entry)

    def _end(self, change: Change, *, refused: bool) -> None:
        backend, name = change.backend, change.name
        found = (self.seen or {}).get(backend, {}).get(name)
        if found is None or refused:
            self.ledger.strike(backend, name)
        elif change.action is Action.PROBE:
            self.ledger.note(backend, name, Entry(Stage.PROBING, self._clock() + _PROBE_SECONDS))
            self.probes.set()
        elif change.action is Action.DRAIN:
            self.removals.set()
        elif not found.held:
            self.ledger.strike(backend, name)

    def _changes(self, target: Target) -> list[Change]:
        seen = (self.seen or {}).get(target.backend, {})
        return changes(target, seen, self.ledger.of(target.backend), self._options)

    def _settle(self, topology: Topology, unfinished: Collection[str]) -> None:
        seen, naming = self.seen or {}, self._options.naming

        def is_settled(target: Target) -> bool:
            backend = target.backend
            if backend in unfinished:
                return False
            return backend not in seen or settled(
                target, seen[backend], self.ledger.of(backend), naming
            )

        self.targets.settle(topology, is_settled)


def _servers_of(
    backends: Collection[str], replies: Sequence[Reply]
) -> dict[str, dict[str, ServerState]]:
    """The servers of each of `backends`, also of those that have none."""
    read: dict[str, dict[str, ServerState]] = {}
    for reply in replies:
        if reply.verdict is Verdict.DONE:
            read |= state.servers(reply.text)
        elif reply.verdict is not Verdict.NO_BACKEND:
            raise reply.problem()
    return {backend: read.get(backend, {}) for backend in backends}
