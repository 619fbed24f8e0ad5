"""What the gateway itself did to servers and has not finished.

The proxy shows that a server is drained or in maintenance, not who did it. Only what is listed
here was done by the gateway; the rest was done by an operator, and stays. The ledger lives in
memory: after a restart of the gateway every state that it finds counts as an operator's.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import Enum

import msgspec

from drove_gateway.proxies.runtime.servers import Action, Change, ObservedServer, Result

# A first health check comes within its interval, 2 s by default.
_PROBE_SECONDS = 10.0
# At its deadline a server is deleted within this time, unless the proxy refuses.
_DELETION_SECONDS = 5.0
# Of so many servers, those changed last, it is known when they were changed.
_MOST_CHANGED = 20_000
_MOST_GONE = 5_000


class Stage(Enum):
    """How far the gateway is with a server."""

    # Members are single objects; Enum's own hash is slow, and thousands are looked up at once.
    __hash__ = object.__hash__

    ADDING = "being added"
    """Registered, not yet known to be let into traffic."""
    PROBING = "waits for its first health check"
    DRAINING = "finishes its requests"
    LEAVING = "in maintenance, about to be deleted"
    PINNED = "cannot be deleted, something in the configuration points to it"
    GONE = "left with its backend, which may come back with the server still drained"


class Entry(msgspec.Struct, frozen=True):
    """A server's stage; at `deadline`, by the gateway's clock, patience ends."""

    stage: Stage
    deadline: float = float("inf")


_ADDING = Entry(Stage.ADDING)
REMOVAL = frozenset({Stage.DRAINING, Stage.LEAVING, Stage.PINNED})
# What the gateway did to a server that is out of traffic, and undoes where the server is wanted.
UNDONE = REMOVAL | {Stage.GONE}
# Noted before they are carried out.
_BEGUN = frozenset({Action.ADD, Action.PROBE, Action.DRAIN})


class Ledger:
    """The unfinished servers, by backend and name; every change makes another `version`."""

    def __init__(self) -> None:
        self.version = 0
        self._entries: dict[str, dict[str, Entry]] = {}
        self._counts = dict.fromkeys(Stage, 0)
        self._changed: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._gone: dict[tuple[str, str], None] = {}

    def of(self, backend: str) -> Mapping[str, Entry]:
        """The entries of one backend."""
        return self._entries.get(backend, {})

    def changed(self, backend: str, name: str) -> float | None:
        """When the gateway last changed a server, by its clock; None if that is not known."""
        return self._changed.get((backend, name))

    def note(self, backend: str, name: str, entry: Entry) -> None:
        """Remember how far the gateway is with a server."""
        self.version += 1
        entries = self._entries.setdefault(backend, {})
        if name in entries:
            self._counts[entries[name].stage] -= 1
        self._counts[entry.stage] += 1
        entries[name] = entry

    def strike(self, backend: str, name: str) -> None:
        """Forget a server: it serves, or it is gone."""
        self.version += 1
        entries = self._entries.get(backend, {})
        if name in entries:
            self._counts[entries.pop(name).stage] -= 1
        if not entries:
            self._entries.pop(backend, None)

    def backend_left(self, backend: str) -> None:
        """The proxy no longer has a backend. If it comes back, perhaps from a state file, the
        drains of its servers are still the gateway's. Of a limited number that is remembered."""
        for name, entry in [*self.of(backend).items()]:
            if entry.stage in REMOVAL:
                self.note(backend, name, Entry(Stage.GONE))
                self._gone.pop((backend, name), None)
                self._gone[backend, name] = None
        while len(self._gone) > _MOST_GONE:
            oldest, server = next(iter(self._gone))
            del self._gone[oldest, server]
            if self.of(oldest).get(server) == Entry(Stage.GONE):
                self.strike(oldest, server)

    def begin(self, change: Change, now: float) -> None:
        """Note that `change` is about to be carried out."""
        if change.action is Action.ADD or change.action is Action.PROBE:
            self.note(change.backend, change.name, _ADDING)
        elif change.action is Action.DRAIN:
            entry = Entry(Stage.DRAINING, now + change.patience)
            self.note(change.backend, change.name, entry)

    def end(self, change: Change, result: Result, found: ObservedServer | None, now: float) -> None:
        """Note the outcome of `change`; `found` is the server as the proxy has it afterwards."""
        backend, name = change.backend, change.name
        if result.state == "done":
            self._remember(change, now)
        if change.action is Action.DELETE:
            if result.state == "done" and not change.remaining:
                self.strike(backend, name)
        elif result.state == "outdated":
            return
        elif result.state != "done" and change.action not in _BEGUN and found is not None:
            # The server is as it was: so is whose doing that is.
            return
        elif found is None or result.state != "done" or change.action is Action.READY:
            self.strike(backend, name)
        elif change.action is Action.PROBE:
            self.note(backend, name, Entry(Stage.PROBING, now + _PROBE_SECONDS))
        elif change.action is not Action.DRAIN and not found.held:
            self.strike(backend, name)

    def begin_all(self, changes: Iterable[Change], now: float) -> None:
        """Note that `changes` are about to be carried out."""
        for change in changes:
            self.begin(change, now)

    def end_all(
        self,
        pairs: Collection[tuple[Change, Result]],
        seen: Mapping[str, Iterable[ObservedServer]],
        now: float,
    ) -> None:
        """Note the outcomes of changes; `seen` has the servers by backend as they are then."""
        backends = {change.backend for change, _ in pairs if change.action is not Action.DELETE}
        found = {name: {server.name: server for server in seen.get(name, ())} for name in backends}
        for change, result in pairs:
            self.end(change, result, found.get(change.backend, {}).get(change.name), now)

    def _remember(self, change: Change, now: float) -> None:
        self._changed.pop((change.backend, change.name), None)
        if change.action is not Action.DELETE:
            self._changed[change.backend, change.name] = now
        if len(self._changed) > _MOST_CHANGED:
            self._changed.popitem(last=False)

    def strike_finished(self, backend: str, serving: Collection[str]) -> None:
        """Forget the stages of servers that serve, no matter who made them ready."""
        for name, entry in list(self.of(backend).items()):
            if name in serving and (entry.stage is Stage.ADDING or entry.stage in UNDONE):
                self.strike(backend, name)

    def loaded_anew(self) -> None:
        """Another process answers. It may have taken over what the gateway set, for example from a
        `server-state-file`: that must not look like an operator's doing."""
        self.version += 1
        for backend, name, entry in [*self.at(*Stage)]:
            if entry.stage is Stage.PINNED:
                self.strike(backend, name)
            elif entry.stage is Stage.PROBING:
                self.note(backend, name, _ADDING)

    def overdue(self, now: float) -> tuple[str, ...]:
        """The removed servers, as `backend/server`, that should have been deleted by `now`."""
        latest = now - _DELETION_SECONDS
        return tuple(
            f"{backend}/{name}"
            for backend, name, entry in self.at(Stage.DRAINING, Stage.LEAVING)
            if entry.deadline < latest
        )

    def count(self, *stages: Stage) -> int:
        """How many servers are in one of `stages`, without a look at each."""
        return sum(self._counts[stage] for stage in stages)

    def at(self, *stages: Stage) -> Iterator[tuple[str, str, Entry]]:
        """Backend, name and entry of every server in one of `stages`, as of now."""
        for backend, entries in list(self._entries.items()):
            for name, entry in list(entries.items()):
                if entry.stage in stages:
                    yield backend, name, entry
