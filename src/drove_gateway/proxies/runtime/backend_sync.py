"""Brings whole backends to a running proxy, and removes those that its configuration no longer has.

The text of the configuration decides. A backend that left is unpublished at once; it is deleted
in the background when its servers have finished their requests.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.installation import Installation
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.runtime.added_backends import AddedBackends
from drove_gateway.proxies.runtime.backends import BackendChanges, ReadsBackends, Situation
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.ledger import REMOVAL
from drove_gateway.proxies.runtime.problem_log import ProblemLog
from drove_gateway.proxies.runtime.report import listed
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.servers import (
    ADDITIONS,
    Action,
    Change,
    ObservedServer,
    WrittenServer,
    problems,
)

_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0
# A backend that cannot be deleted for this long after its servers' time is reported.
_LATE_SECONDS = 30.0


class BackendSync:
    """Backends as the text has them; an `AtRuntime`.

    `changes` collects what was done since it was last taken. `leaving` are unpublished backends
    that are not deleted yet, with the time by which they should be. `patience` has the seconds that
    servers of a backend may finish their requests, where they are not the usual. `added` remembers
    the backends that no file has yet.
    """

    def __init__(
        self,
        engine: Engine,
        texts: ReadsBackends,
        resolver: Resolver,
        installation: Installation,
        added: AddedBackends,
        *,
        patience: float,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self.leaving: dict[str, float] = {}
        self.patience: Mapping[str, float] = {}
        self._engine = engine
        self._texts = texts
        self._resolver = resolver
        self._installation = installation
        self._added = added
        self._served: tuple[Rendered | None, str] = None, ""
        self._usual_patience = patience
        self._clock = clock
        self._log = log
        self._failing = ProblemLog(LogEvent.BACKENDS_NOT_DELETED, log)
        self._changes: list[Change] = []
        self._own: Mapping[str, object] = dict.fromkeys(added.names)
        self._has_looked = False
        self._named: Collection[str] = ()
        self._loads = -1
        self._removals = asyncio.Event()

    @property
    def able(self) -> bool:
        """Whether the proxy that answers can add and delete backends."""
        return self._engine.adapter.makes_backends

    @property
    def outdated(self) -> bool:
        """Whether a process answers whose backends were not compared with the text yet."""
        return self.able and self._loads != self._engine.loads

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the backends have to be compared although the topology is the same."""
        if not self.outdated:
            return ()
        name, noun = self._engine.adapter.name, self._engine.adapter.backend_noun
        return (f"another process of {name} runs; its {noun}s are compared",)

    @property
    def surplus(self) -> tuple[str, ...]:
        """Backends that the proxy has, and that neither the text nor the gateway knows."""
        if not self.able or self.outdated or not self._named:
            return ()
        return tuple(sorted(self._engine.seen.keys() - self._named - self.leaving.keys()))

    def take(self) -> Sequence[Change]:
        """Return what was done since the last call."""
        done, self._changes = self._changes, []
        return done

    def loaded(self) -> None:
        """Note that the proxy has loaded the newest text: all its backends are published."""
        self.leaving = {}
        self._loads = self._engine.loads
        self._added.retain(())

    def written(self) -> str:
        """Note that the file was written; return how a server differs from its line there."""
        written, engine = self._installation.written, self._engine
        if written is None or not (self._added.names or engine.unwritten):
            return ""
        text = written.bare
        self._added.retain(self._added.names & engine.seen.keys() - self._texts.backend_names(text))
        unlike, waiting = self._texts.unlike(text, engine.unwritten)
        if not unlike:
            engine.unwritten = waiting
        return unlike

    def servers(self, backend: str) -> Mapping[str, WrittenServer] | None:
        """Return how the text that the proxy serves has the gateway's servers of a backend, by
        name; None where servers are added as the settings say."""
        current = self._installation.current
        if current is not self._served[0]:
            self._served = current, current.bare if current else ""
        return self._texts.servers(self._served[1], backend) if current and self.able else None

    def joining(self, desired: Topology) -> Mapping[str, str]:
        """Return the backends with new servers whose options only the text for `desired` can
        tell, each with its first such server."""
        if not self._engine.known:
            return {}
        new: dict[str, list[str]] = {}
        for change in self._engine.pending(desired):
            if change.action in ADDITIONS and change.options is None:
                new.setdefault(change.backend, []).append(change.name)
        found: dict[str, str] = {}
        for backend, names in new.items():
            known = self.servers(backend)
            unknown = () if known is None else (name for name in names if name not in known)
            if name := next(iter(unknown), ""):
                found[backend] = name
        return found

    def first_line(self, before: str, after: str) -> str:
        return self._texts.first_line(before, after)

    async def bring(self, before: str, after: str) -> str:
        """Bring the proxy to `after`, under the engine's lock; return why it must be reloaded."""
        name = self._engine.adapter.name
        if not self._engine.known:
            return f"{name}'s backends are not known, the runtime API does not answer"
        try:
            wanted = await self._wanted(before, after)
        except RuntimeApiError as error:
            return str(error)
        if wanted.reload:
            return wanted.reload
        if not self.able:
            changed = [change.backend for change in wanted.changes] + list(wanted.removed)
            noun = self._engine.adapter.backend_noun
            return f"{name} cannot change {noun} {changed[0]} at runtime" if changed else ""
        try:
            problem = await self._carry_out(wanted)
        except RuntimeApiError as error:
            return str(error)
        if not problem:
            self._loads = self._engine.loads
        return problem

    async def run(self) -> None:
        """Delete the backends that left as soon as they are free, until cancelled."""
        while True:
            await self._removals.wait()
            self._removals.clear()
            pause = _FIRST_PAUSE_SECONDS
            while self.leaving:
                await asyncio.sleep(pause)
                pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
                try:
                    async with self._engine.lock:
                        deleted = await self._delete_free()
                except RuntimeApiError as error:
                    self._failing.met(str(error))
                    continue
                self._failing.over()
                if deleted:
                    pause = _FIRST_PAUSE_SECONDS
                    self._log.write(LogEvent.BACKENDS_DELETED, backends=listed(deleted))

    async def _wanted(self, before: str, after: str) -> BackendChanges:
        seen, texts = self._engine.seen, self._texts
        # Texts may have thousands of lines.
        hosts = await asyncio.to_thread(texts.host_names, after, seen)
        resolved = await self._resolver.resolve(hosts)
        # An earlier run may have unpublished any of them.
        everything: Collection[str] = seen.keys() if self.able else ()
        hidden = self.leaving.keys() if self._loads >= 0 else everything
        self._named = texts.backend_names(after)
        there = Situation(
            seen,
            resolved.addresses,
            hidden,
            await self._unpublished(),
            self._own,
            {(backend, name) for backend, name, _ in self._engine.ledger.at(*REMOVAL)},
            self._engine.unwritten,
            self._usual_patience,
        )
        wanted = await asyncio.to_thread(texts.changes, before, after, there)
        earlier = {**dict.fromkeys(wanted.removed), **self._own}
        still = {name: form for name, form in earlier.items() if name in seen}
        new = {} if wanted.reload else texts.own_backends(after)
        self._own = {**still, **texts.own_backends(before), **new}
        return wanted

    async def _unpublished(self) -> Collection[str]:
        """Return which backends an earlier run may have left empty. Raises RuntimeApiError."""
        seen = self._engine.seen
        empty = [name for name, servers in seen.items() if not servers and name not in self._named]
        # In this run it is known which backends are the gateway's.
        if self._has_looked or not self.able:
            return ()
        found = await self._engine.adapter.unpublished(empty) if empty else ()
        self._has_looked = True
        return found

    async def _carry_out(self, wanted: BackendChanges) -> str:
        """Add, publish what has all its servers, then unpublish and drain.

        Returns the first problem. Raises RuntimeApiError.
        """
        # Another process published them again when it loaded its file.
        hidden = {} if self.outdated else self.leaving
        left = [name for name in wanted.removed if name not in hidden]
        added = {each.backend for each in wanted.changes if each.action is Action.ADD_BACKEND}
        if added:
            await self._added.add(added)
        # Until all of it is done, which backends are published is not known.
        self._loads = -1
        failed = await self._run(c for c in wanted.changes if c.action is not Action.PUBLISH)
        complete = (
            each
            for each in wanted.changes
            if each.action is Action.PUBLISH and each.backend not in failed
        )
        failed |= await self._run(complete)
        if failed := failed or await self._run(self._removal(left)):
            return next(iter(failed.values()))
        self._engine.desired.look_again_at(added, "its backend was added")
        late = self._clock() + self._usual_patience + _LATE_SECONDS
        self.leaving = {name: hidden.get(name, late) for name in wanted.removed}
        if self.leaving:
            self._removals.set()
        return ""

    async def _run(self, changes: Iterable[Change]) -> dict[str, str]:
        """Carry out `changes`; return the first problem of each backend that has any."""
        batch = tuple(changes)
        pairs = await self._engine.carry_out(batch) if batch else ()
        self._changes += [change for change, result in pairs if result.state == "done"]
        return problems(pairs, {result.state for _, result in pairs} - {"done"})

    def _removal(self, backends: Collection[str]) -> list[Change]:
        changes: list[Change] = []
        for name in backends:
            changes.append(Change(Action.UNPUBLISH, name, "", "no longer in the configuration"))
            changes += [self._drain(name, server) for server in self._engine.seen[name]]
        return changes

    def _drain(self, backend: str, server: ObservedServer) -> Change:
        reason = "its backend is no longer in the configuration"
        patience = self.patience.get(backend, self._usual_patience)
        return Change(Action.DRAIN, backend, server.name, reason, patience=patience)

    async def _delete_free(self) -> list[str]:
        """Delete the backends that have no servers left. Raises RuntimeApiError."""
        if self.outdated:
            return []
        seen, now = self._engine.seen, self._clock()
        self.leaving = {name: late for name, late in self.leaving.items() if name in seen}
        free = [name for name in self.leaving if not seen[name]]
        if not free:
            return []
        reason = "all its servers are gone"
        pairs = await self._engine.carry_out(
            [Change(Action.DELETE_BACKEND, name, "", reason) for name in free]
        )
        deleted = [change.backend for change, result in pairs if result.state == "done"]
        for name in deleted:
            del self.leaving[name]
            self._engine.drop(name)
        self._added.retain(self._added.names.difference(deleted))
        for change, result in pairs:
            if result.state != "done" and now > self.leaving[change.backend]:
                self._report_late(change.backend, result.problem)
        return deleted

    def _report_late(self, backend: str, reply: str) -> None:
        self.leaving[backend] = float("inf")
        self._log.write(LogEvent.BACKEND_NOT_DELETED, backend=backend, error=reply)
