"""From the observed servers to the desired servers: what to do, in order, and why. Pure.

What adds capacity comes first, then changed parameters, then what takes capacity away. A server
that is as it should be is not touched, no matter what took it out of traffic: an operator by
drain, maintenance or weight, or a failed health check.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.ledger import REMOVAL, Entry, Stage
from drove_gateway.proxies.runtime.servers import (
    REMOVALS,
    Action,
    Change,
    DesiredBackend,
    DesiredServer,
    ObservedServer,
    Parameter,
)

_NOT_WANTED = "no longer wanted"


def changes(
    backend: DesiredBackend,
    observed: Iterable[ObservedServer],
    ledger: Mapping[str, Entry],
    abilities: Abilities,
) -> list[Change]:
    """What brings the `observed` servers of a backend to those that it should have.

    Removed servers stay in traffic while without them none would be left and new ones are on
    their way: without an address yet, or waiting for their first health check. Where names are
    addresses they also stay while a host has no address: any of them may be its server.
    """
    standing = _by_name(observed)
    desired = {server.name: server for server in backend.servers}
    probes = abilities.probes and any(s.serving for group in standing.values() for s in group)
    found: list[Change] = []
    updates: list[Change] = []
    removals: list[Change] = []
    for server in desired.values():
        group = standing.get(server.name)
        if group is None:
            if server.address:
                action = Action.PROBE if probes else Action.ADD
                found.append(_change(action, backend, server, "wanted, and missing"))
            continue
        kept, *surplus = group
        if abilities.named_by_host:
            found += _relocations(backend, server, kept)
        found += _returns(backend, server, kept, ledger.get(server.name))
        if names := _differing(kept.parameters, abilities.parameters):
            updates.append(_update(backend, kept, names))
        removals += _deletions(backend, surplus, "duplicate", keeps=1)
    if not abilities.named_by_host and any(not server.address for server in backend.servers):
        return found + updates
    leaving = list(_leaving(desired, standing, ledger))
    if leaving and _would_be_empty(desired, standing, ledger, found):
        return found + updates
    for group, reason in leaving:
        removals += _removals(backend, group, reason, abilities)
    return found + updates + removals


def settled(
    backend: DesiredBackend,
    observed: Iterable[ObservedServer],
    ledger: Mapping[str, Entry],
) -> bool:
    """Whether nothing is left to do in a backend but what the ledger already follows."""
    standing = _by_name(observed)
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
    for name, group in _by_name(servers).items():
        entry = ledger.get(name)
        if entry is None or entry.stage not in {Stage.DRAINING, Stage.LEAVING}:
            continue
        late = entry.deadline <= now
        due = [s for s in group if late or (s.active == 0 and s.held)]
        found += _deletions(
            DesiredBackend(backend, "", ()), due, "drained", keeps=len(group) - len(due)
        )
    return found


def _by_name(observed: Iterable[ObservedServer]) -> dict[str, list[ObservedServer]]:
    """The servers by name; of several with a name, the first one to keep comes first."""
    groups: dict[str, list[ObservedServer]] = {}
    for server in observed:
        groups.setdefault(server.name, []).append(server)
    for group in groups.values():
        if len(group) > 1:
            group.sort(key=lambda server: (bool(server.held), server.handle or 0))
    return groups


def _relocations(
    backend: DesiredBackend, server: DesiredServer, kept: ObservedServer
) -> Iterator[Change]:
    """What brings a server that is there to its address."""
    if not server.address:
        return
    if not kept.address:
        # Nothing ever ran on it, and HAProxy cannot give it an address at runtime.
        yield _change(Action.REPLACE, backend, server, "has no address in the proxy")
    elif (kept.address, kept.port) != (server.address, server.port):
        reason = f"is at {kept.address}:{kept.port}, not at {server.address}:{server.port}"
        yield _change(Action.MOVE, backend, server, reason)


def _returns(
    backend: DesiredBackend, server: DesiredServer, kept: ObservedServer, entry: Entry | None
) -> Iterator[Change]:
    """What lets a server back into traffic that the gateway itself keeps out."""
    if entry is None or not kept.held or (server.address and not kept.address):
        return
    if entry.stage in REMOVAL:
        reason = "wanted again before it was deleted"
        yield _change(Action.READY, backend, server, reason, kept.handle)
    elif entry.stage is Stage.ADDING:
        reason = "added, but not in traffic yet"
        yield _change(Action.READY, backend, server, reason, kept.handle)


def _leaving(
    desired: Mapping[str, DesiredServer],
    standing: Mapping[str, list[ObservedServer]],
    ledger: Mapping[str, Entry],
) -> Iterator[tuple[list[ObservedServer], str]]:
    """Servers under the gateway's names that are not wanted, and servers under other names that
    duplicate a wanted server, each with the reason. Other names are the operator's own."""
    endpoints: set[tuple[str, int]] | None = None
    for name, group in standing.items():
        if name in desired:
            continue
        entry = ledger.get(name)
        followed = entry is not None and entry.stage in REMOVAL
        left = [server for server in group if not (followed and server.held)]
        if not left:
            continue
        if group[0].ours:
            yield left, _NOT_WANTED
            continue
        if endpoints is None:
            endpoints = {(s.address, s.port) for s in desired.values() if s.address}
        if (group[0].address, group[0].port) in endpoints:
            yield left, "duplicates a server under another name"


def _would_be_empty(
    desired: Mapping[str, DesiredServer],
    standing: Mapping[str, list[ObservedServer]],
    ledger: Mapping[str, Entry],
    found: Iterable[Change],
) -> bool:
    """Whether without the leaving servers none would serve, while others are on their way."""
    serving = {name for name, group in standing.items() if any(s.serving for s in group)}
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
        return _deletions(backend, group, reason)
    return [
        Change(
            Action.DRAIN,
            backend.name,
            server.name,
            reason,
            patience=backend.patience,
            handle=server.handle,
        )
        for server in group
    ]


def _deletions(
    backend: DesiredBackend, servers: Sequence[ObservedServer], reason: str, *, keeps: int = 0
) -> list[Change]:
    """Deletions in order; `keeps` others of the same name stay."""
    return [
        Change(
            Action.DELETE,
            backend.name,
            server.name,
            reason,
            handle=server.handle,
            remaining=keeps + len(servers) - number,
            busy=server.active > 0,
        )
        for number, server in enumerate(servers, 1)
    ]


def _differing(shown: tuple[Parameter, ...], wanted: tuple[Parameter, ...]) -> tuple[str, ...]:
    """The names of the parameters that differ, as far as `shown` has them."""
    if not shown:
        return ()
    known = dict(shown)
    return tuple(name for name, value in wanted if known.get(name, value) != value)


def _update(backend: DesiredBackend, kept: ObservedServer, names: tuple[str, ...]) -> Change:
    return Change(
        Action.UPDATE,
        backend.name,
        kept.name,
        f"has other {', '.join(names)}",
        handle=kept.handle,
        differing=names,
    )


def _change(
    action: Action,
    backend: DesiredBackend,
    server: DesiredServer,
    reason: str,
    handle: int | None = None,
) -> Change:
    return Change(
        action,
        backend.name,
        server.name,
        reason,
        server.address,
        server.port,
        server.https,
        handle=handle,
    )
