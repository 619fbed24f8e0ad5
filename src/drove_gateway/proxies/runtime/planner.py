"""From the observed servers to the desired servers: what to do, in order, and why. Pure.

What adds capacity comes first, then changed parameters, then what takes capacity away. A server
that is as it should be is not touched, no matter what took it out of traffic: an operator by
drain, maintenance or weight, or a failed health check.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.ledger import REMOVAL, UNDONE, Entry, Stage
from drove_gateway.proxies.runtime.servers import (
    REMOVALS,
    Action,
    Change,
    DesiredBackend,
    DesiredServer,
    ObservedServer,
    Parameter,
    WrittenServer,
)


def changes(
    backend: DesiredBackend,
    observed: Iterable[ObservedServer],
    ledger: Mapping[str, Entry],
    abilities: Abilities,
    written: Mapping[str, WrittenServer] = {},
) -> list[Change]:
    """What brings the `observed` servers of a backend to those that it should have.

    A server is added as the configuration has it in `written`, by name, where it has it.

    Removed servers stay in traffic while without them none would be left and new ones are on
    their way: without an address yet, or waiting for their first health check. Where names are
    addresses they also stay while a host has no address: any of them may be its server.
    """
    if backend.leaves and abilities.creates_backends:
        return [Change(Action.DELETE_BACKEND, backend.name, "", "no longer wanted")]
    standing, surplus = _by_name(observed)
    desired = {server.name: server for server in backend.servers}
    may_wait = any(server.serving for server in standing.values())
    found: list[Change] = []
    updates: list[Change] = []
    removals: list[Change] = []
    for server in desired.values():
        kept = standing.get(server.name)
        if kept is None:
            if server.address:
                line = _line(server, written)
                probes = may_wait and (line.checked if line else abilities.probes)
                action = Action.PROBE if probes else Action.ADD
                found.append(_change(action, backend, server, "wanted, and missing", line))
            continue
        line = _line(server, written)
        found += _corrections(backend, server, kept, ledger.get(server.name), abilities, line)
        if abilities.parameters:
            updates += _updates(backend.name, kept, abilities.parameters)
        if server.name in surplus:
            removals += _deletions(backend.name, surplus[server.name], "duplicate", keeps=1)
    if not abilities.named_by_host and any(not server.address for server in backend.servers):
        return found + updates
    leaving = list(_leaving(desired, standing, ledger))
    if leaving and _would_be_empty(desired, standing, ledger, found):
        return found + updates
    for server_left, reason in leaving:
        group = [server_left, *surplus.get(server_left.name, ())]
        removals += _removals(backend, group, reason, abilities)
    return found + updates + removals


def settled(
    backend: DesiredBackend,
    observed: Iterable[ObservedServer],
    ledger: Mapping[str, Entry],
) -> bool:
    """Whether nothing is left to do in a backend but what the ledger already follows."""
    standing, _ = _by_name(observed)
    desired = {server.name: server for server in backend.servers}
    if not all(server.address and name in standing for name, server in desired.items()):
        return False
    return not any(True for _ in _leaving(desired, standing, ledger))


def additions_first(
    found: Iterable[Change],
    desired: Mapping[str, DesiredBackend],
    observed: Mapping[str, Sequence[ObservedServer]],
) -> list[Change]:
    """`found` without the removals from a backend that has none of its desired servers yet.

    They are planned again once the additions are known to have succeeded.
    """
    adding: dict[str, bool] = {}
    found = list(found)
    for change in found:
        if change.action in REMOVALS:
            continue
        if change.backend not in adding:
            names = {server.name for server in desired[change.backend].servers}
            there = observed.get(change.backend, ())
            adding[change.backend] = not any(server.name in names for server in there)
    return [
        change
        for change in found
        if change.action not in REMOVALS or not adding.get(change.backend, False)
    ]


def deletions(
    backend: str, servers: Iterable[ObservedServer], ledger: Mapping[str, Entry], now: float
) -> list[Change]:
    """The deletions of the removed servers that are idle, or out of time, at the time `now`.

    `servers` are those of the backend, with their requests. A server that still gets new requests
    is not idle.
    """
    found: list[Change] = []
    standing, surplus = _by_name(servers)
    for name, entry in ledger.items():
        if name not in standing or entry.stage not in {Stage.DRAINING, Stage.LEAVING}:
            continue
        group = [standing[name], *surplus.get(name, ())]
        late = entry.deadline <= now
        due = [s for s in group if late or (s.active == 0 and s.held)]
        found += _deletions(backend, due, "drained", keeps=len(group) - len(due))
    return found


def _by_name(
    observed: Iterable[ObservedServer],
) -> tuple[dict[str, ObservedServer], dict[str, list[ObservedServer]]]:
    """The servers by name, and the surplus: of several with a name, one in traffic is kept."""
    standing: dict[str, ObservedServer] = {}
    surplus: dict[str, list[ObservedServer]] = {}
    for server in observed:
        other = standing.setdefault(server.name, server)
        if other is not server:
            first, second = sorted((other, server), key=lambda s: (bool(s.held), s.handle or 0))
            standing[server.name] = first
            surplus.setdefault(server.name, []).append(second)
    return standing, surplus


def _corrections(
    backend: DesiredBackend,
    server: DesiredServer,
    kept: ObservedServer,
    entry: Entry | None,
    abilities: Abilities,
    line: WrittenServer | None,
) -> Sequence[Change]:
    """What makes a server that is there serve at its address, unless an operator holds it."""
    if server.address and server.tls is not None and kept.tls not in (None, server.tls):
        # What listens there now speaks another protocol: nothing that runs can still finish.
        reason = f"is used {_tls(kept.tls)}, not {_tls(server.tls)}"
        change = _change(Action.REPLACE, backend, server, reason, line)
        return (msgspec.structs.replace(change, busy=True),)
    found: list[Change] = []
    elsewhere = kept.address != server.address or kept.port != server.port
    if abilities.named_by_host and server.address and elsewhere:
        if not kept.address:
            # Nothing ever ran on it, and HAProxy cannot give it an address at runtime.
            reason = "has no address in the proxy"
            return (_change(Action.REPLACE, backend, server, reason, line),)
        reason = f"is at {kept.address}:{kept.port}, not at {server.address}:{server.port}"
        found.append(_change(Action.MOVE, backend, server, reason))
    if entry is None or not kept.held:
        return found
    if entry.stage in UNDONE:
        found.append(_to(Action.READY, backend.name, kept, "wanted again before it was deleted"))
    elif entry.stage is Stage.ADDING:
        found.append(_to(Action.READY, backend.name, kept, "added, but not in traffic yet"))
    return found


def _tls(used: bool | None) -> str:
    return "with TLS" if used else "without TLS"


def _leaving(
    desired: Mapping[str, DesiredServer],
    standing: Mapping[str, ObservedServer],
    ledger: Mapping[str, Entry],
) -> Iterator[tuple[ObservedServer, str]]:
    """Servers under the gateway's names that are not wanted, and servers under other names that
    duplicate a wanted server, each with the reason. Other names are the operator's own."""
    endpoints: set[tuple[str, int]] | None = None
    for name, server in standing.items():
        if name in desired:
            continue
        entry = ledger.get(name)
        if entry is not None and server.held and entry.stage in REMOVAL:
            continue
        if server.ours:
            yield server, "no longer wanted"
            continue
        if endpoints is None:
            endpoints = {(s.address, s.port) for s in desired.values() if s.address}
        if (server.address, server.port) in endpoints:
            yield server, "duplicates a server under another name"


def _would_be_empty(
    desired: Mapping[str, DesiredServer],
    standing: Mapping[str, ObservedServer],
    ledger: Mapping[str, Entry],
    found: Iterable[Change],
) -> bool:
    """Whether without the leaving servers none would serve, while others are on their way."""
    serving = {name for name, server in standing.items() if server.serving}
    arriving = any(not s.address and name not in serving for name, s in desired.items())
    for change in found:
        if change.action is Action.PROBE:
            arriving = True
        elif change.action is not Action.MOVE:
            return False
    arriving = arriving or any(
        name in desired and entry.stage is Stage.PROBING for name, entry in ledger.items()
    )
    return arriving and not any(name in serving for name in desired)


def _removals(
    backend: DesiredBackend, group: list[ObservedServer], reason: str, abilities: Abilities
) -> list[Change]:
    """Drains, or deletions where these let requests finish and no drain is wanted."""
    if backend.patience <= 0 and abilities.deletes_busy:
        return _deletions(backend.name, group, reason)
    patience = backend.patience
    return [_to(Action.DRAIN, backend.name, s, reason, patience=patience) for s in group]


def _deletions(
    backend: str, servers: Sequence[ObservedServer], reason: str, *, keeps: int = 0
) -> list[Change]:
    """Deletions in order; `keeps` others of the same name stay."""
    left = range(keeps + len(servers) - 1, keeps - 1, -1)
    return [
        _to(Action.DELETE, backend, server, reason, remaining=n, busy=server.active > 0)
        for n, server in zip(left, servers, strict=True)
    ]


def _updates(backend: str, kept: ObservedServer, wanted: tuple[Parameter, ...]) -> Iterator[Change]:
    """What sets the parameters that differ, as far as they are known."""
    known = dict(kept.parameters)
    differing = tuple(name for name, value in wanted if known.get(name, value) != value)
    if differing:
        reason = f"has other {', '.join(differing)}"
        yield _to(Action.UPDATE, backend, kept, reason, differing=differing)


def _to(
    action: Action, backend: str, server: ObservedServer, reason: str, **details: Any
) -> Change:
    """A change of a server that is there."""
    return Change(action, backend, server.name, reason, handle=server.handle, **details)


def _line(server: DesiredServer, written: Mapping[str, WrittenServer]) -> WrittenServer | None:
    """How the configuration has a server; None where it is not to be used that way any more."""
    line = written.get(server.name)
    return line if line is not None and server.tls in (None, line.tls) else None


def _change(
    action: Action,
    backend: DesiredBackend,
    server: DesiredServer,
    reason: str,
    line: WrittenServer | None = None,
) -> Change:
    address, port, options = server.address, server.port, line.options if line else None
    return Change(
        action, backend.name, server.name, reason, address, port, server.https, options=options
    )
