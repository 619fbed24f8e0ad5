"""From the servers that should be to the servers that are: what to do, in order, and why. Pure.

Adds and updates come before drains. A server that is as it should be is not touched, whoever took
it out of traffic: an operator by drain, maintenance or weight, or a failed health check.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum

import msgspec

from drove_gateway.model.plan import Step
from drove_gateway.model.vocabulary import NO_TAGS, Host, Tags
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api.runtime_commands import Command
from drove_gateway.proxies.haproxy.api.server_state import NO_ADDRESS, ServerState
from drove_gateway.proxies.haproxy.ledger import REMOVAL, Entry, Stage
from drove_gateway.proxies.haproxy.names import Naming
from drove_gateway.proxies.haproxy.options import Options


class Action(Enum):
    """What is done to a server."""

    ADD = "add server"
    PROBE = "add server, probe first"
    MOVE = "move server"
    REPLACE = "replace server"
    READY = "make server ready"
    DRAIN = "drain server"


class Wanted(msgspec.Struct, frozen=True, gc=False):
    """A server that should serve. `address` is empty while its host name has none."""

    name: str
    address: str
    port: int
    https: bool


class Target(msgspec.Struct, frozen=True, gc=False):
    """What a backend should hold. `tags` are those that its removed servers' vhost had."""

    backend: str
    vhost: str
    servers: tuple[Wanted, ...]
    tags: Tags = NO_TAGS


class Change(msgspec.Struct, frozen=True, gc=False):
    """One thing to do to the server `name` of `backend`.

    A drained server has `patience` seconds to finish its requests.
    """

    action: Action
    backend: str
    name: str
    reason: str
    address: str = ""
    port: int = 0
    https: bool = False
    patience: float = 0.0

    def step(self) -> Step:
        """The change as plans and histories show it."""
        return Step(self.action.value, f"{self.backend}/{self.name}", self.reason)


def wanted(hosts: Iterable[Host], naming: Naming, addresses: Mapping[str, str]) -> list[Wanted]:
    """The servers for `hosts`, whose names came to `addresses`."""
    return [
        Wanted(
            naming.server(host), addresses.get(host.host, ""), host.port, host.port_type == "https"
        )
        for host in hosts
    ]


def changes(
    target: Target,
    seen: Mapping[str, ServerState],
    ledger: Mapping[str, Entry],
    options: Options,
) -> list[Change]:
    """What brings the servers `seen` in a backend to those of `target`.

    Removed servers are left in traffic while without them none would be left and new ones are on
    their way: without an address yet, or waiting for their first health check.
    """
    by_name = {one.name: one for one in target.servers}
    may_probe = options.probes and any(state.serving for state in seen.values())
    coming = list(_comings(target.backend, by_name, seen, ledger, may_probe))
    leaving = [
        Change(Action.DRAIN, target.backend, name, why, patience=options.drain_seconds(target.tags))
        for name, why in _leaving(by_name, seen, ledger, options.naming)
    ]
    if leaving and _would_be_empty(by_name, seen, ledger, coming):
        return coming
    return coming + leaving


def settled(
    target: Target,
    seen: Mapping[str, ServerState],
    ledger: Mapping[str, Entry],
    naming: Naming,
) -> bool:
    """Whether nothing is left to do in a backend but what the ledger already follows."""
    by_name = {one.name: one for one in target.servers}
    if not all(one.address and name in seen for name, one in by_name.items()):
        return False
    return not any(_leaving(by_name, seen, ledger, naming))


def commands_for(change: Change, options: Options) -> tuple[Command, ...]:
    """The commands that carry out `change`, in order."""
    backend, name = change.backend, change.name
    match change.action:
        case Action.ADD | Action.PROBE:
            return _adding(change, options)
        case Action.REPLACE:
            gone = (
                commands.set_state(backend, name, "maint"),
                commands.delete_server(backend, name),
            )
            return (*gone, *_adding(change, options))
        case Action.MOVE:
            return (commands.set_address(backend, name, change.address, change.port),)
        case Action.READY:
            return (commands.set_state(backend, name, "ready"),)
        case Action.DRAIN:
            return (commands.set_state(backend, name, "drain"),)


def _adding(change: Change, options: Options) -> tuple[Command, ...]:
    """A server is added in maintenance; one that is checked gets its first check in drain."""
    backend, name = change.backend, change.name
    add = commands.add_server(
        backend, name, change.address, change.port, options.attributes_for(change.https)
    )
    checks = (commands.enable_health(backend, name),) if options.probes else ()
    state = "drain" if change.action is Action.PROBE else "ready"
    return (add, *checks, commands.set_state(backend, name, state))


def _comings(
    backend: str,
    by_name: Mapping[str, Wanted],
    seen: Mapping[str, ServerState],
    ledger: Mapping[str, Entry],
    may_probe: bool,
) -> Iterator[Change]:
    for one in by_name.values():
        state = seen.get(one.name)
        if state is None:
            if one.address:
                action = Action.PROBE if may_probe else Action.ADD
                yield _change(action, backend, one, "wanted, and not there")
            continue
        if one.address and state.address == NO_ADDRESS:
            # Nothing ever ran on it, and HAProxy cannot give it an address at runtime.
            yield _change(Action.REPLACE, backend, one, "has no address in HAProxy")
            continue
        if one.address and (state.address, state.port) != (one.address, one.port):
            was = f"{state.address}:{state.port}"
            yield _change(Action.MOVE, backend, one, f"is at {was}, not at {one.address}")
        entry = ledger.get(one.name)
        if entry is None:
            continue
        if entry.stage in REMOVAL:
            yield _change(Action.READY, backend, one, "wanted again before it was deleted")
        elif entry.stage is Stage.ADDING and state.held:
            yield _change(Action.READY, backend, one, "added, but not yet let into traffic")


def _leaving(
    by_name: Mapping[str, Wanted],
    seen: Mapping[str, ServerState],
    ledger: Mapping[str, Entry],
    naming: Naming,
) -> Iterator[tuple[str, str]]:
    """Servers under the gateway's names that are not wanted, and such under other names that
    double a wanted one, each with the reason. Other names are the operator's own."""
    endpoints = {(one.address, one.port) for one in by_name.values() if one.address}
    for name, state in seen.items():
        entry = ledger.get(name)
        if name in by_name or (entry is not None and entry.stage in REMOVAL and state.held):
            continue
        if naming.is_ours(name):
            yield name, "not wanted any more"
        elif (state.address, state.port) in endpoints:
            yield name, "doubles a server under another name"


def _would_be_empty(
    by_name: Mapping[str, Wanted],
    seen: Mapping[str, ServerState],
    ledger: Mapping[str, Entry],
    coming: list[Change],
) -> bool:
    """Whether without the leaving servers none would serve, while others are on their way."""
    arriving = {
        name
        for name, one in by_name.items()
        if not one.address and not (name in seen and seen[name].serving)
    }
    for change in coming:
        if change.action is Action.PROBE:
            arriving.add(change.name)
        elif change.action is not Action.MOVE:
            return False
    arriving |= {
        name
        for name in by_name
        if (entry := ledger.get(name)) is not None and entry.stage is Stage.PROBING
    }
    if not arriving:
        return False
    return not any(name in by_name and state.serving for name, state in seen.items())


def _change(action: Action, backend: str, one: Wanted, reason: str) -> Change:
    return Change(action, backend, one.name, reason, one.address, one.port, one.https)
