"""Hosts whose names cannot be resolved any more are served at their last known addresses.

A proxy that resolves names when it loads its configuration refuses the whole configuration because
of a single such name. The servers may be fine, and every other vhost is.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from drove_gateway.model.health import HealthSection, of_names
from drove_gateway.model.vocabulary import App, Host, HostGroup, Leader, Namespace, Topology
from drove_gateway.model.wording import first_and_more
from drove_gateway.proxies.installation.forms import is_name, names_of

_NAMED_IN_HEALTH = 5


class KnownNames(Protocol):
    """The result of looking up names. `stale` are those whose last address stays in use."""

    @property
    def addresses(self) -> Mapping[str, str]: ...

    @property
    def stale(self) -> Mapping[str, str]: ...


class Names(Protocol):
    """The addresses of host names, from a cache; no look-up takes longer than its limit."""

    async def resolve(self, names: Collection[str]) -> KnownNames:
        """Look up the names that were never looked up."""
        ...

    async def refresh(self) -> Collection[str]:
        """Look up every name that is due."""
        ...

    def known(self, names: Collection[str]) -> KnownNames:
        """Return what is known, without waiting."""
        ...

    def retain(self, names: Collection[str]) -> None:
        """Forget every name except `names`."""
        ...


class LastAddresses:
    """Remembers the addresses of all hosts that a proxy has loaded by name."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._unknown: frozenset[str] = frozenset()

    async def remember(self, topology: Topology) -> None:
        """The proxy has just loaded `topology`: its names have addresses."""
        names = _names(topology)
        self._names.retain(names)
        if names:
            await self._names.resolve(names)
            await self._names.refresh()

    async def look(self) -> None:
        """Look up again what is due: it may have lost its address, or have one again."""
        await self._names.refresh()

    async def leave_out_unknown(self, topology: Topology) -> None:
        """Leave out the hosts whose names have no address now, until they have.

        After a restart no last address is known, and while a name server is silent the proxy's own
        check waits for each such name until its time is up.
        """
        names = _names(topology)
        await self._names.resolve(names)
        self._unknown = frozenset(names - self._names.known(names).addresses.keys())

    def instead_of_names(self, topology: Topology) -> Topology:
        """Return `topology` with the last addresses of the hosts that cannot be resolved."""
        names = _names(topology)
        known = self._names.known(names) if names else None
        if known is None:
            return topology
        unknown = self._left_out(names, known)
        if not known.stale and not unknown:
            return topology
        lost: dict[str, str | None] = {name: known.addresses[name] for name in known.stale}
        lost.update(dict.fromkeys(unknown))
        apps = {vhost: _app(app, lost) for vhost, app in topology.apps.items()}
        return Topology(
            apps={v: app for v, app in apps.items() if app.hosts or not topology.apps[v].hosts},
            namespaces={name: _namespace(n, lost) for name, n in topology.namespaces.items()},
        )

    def health(self, topology: Topology) -> HealthSection:
        """Unhealthy as long as a host of `topology` is served at its last address, with its name.

        The same while hosts without any address are left out. Others without an address are
        refused by the proxy, which is reported elsewhere.
        """
        names = _names(topology)
        known = self._names.known(names)
        unknown = sorted(self._left_out(names, known))
        if unknown:
            listed = first_and_more(unknown, _NAMED_IN_HEALTH, separator=", ")
            message = f"resolver fails, hosts without an address are left out: {listed}"
            return of_names(HealthSection(healthy=False, message=message), unknown, topology)
        stale = known.stale
        if not stale:
            return HealthSection()
        shown = [f"{name} ({problem})" for name, problem in sorted(stale.items())]
        listed = first_and_more(shown, _NAMED_IN_HEALTH, separator=", ")
        message = f"resolver fails, last known address serves: {listed}"
        return of_names(HealthSection(healthy=False, message=message), stale, topology)

    def _left_out(self, names: set[str], known: KnownNames) -> frozenset[str]:
        """Those of `names` that are left out, as they still have no address."""
        return self._unknown & (names - known.addresses.keys())


def _names(topology: Topology) -> set[str]:
    leaders = {each.leader.host for each in topology.namespaces.values() if each.leader.host}
    return set(filter(is_name, leaders)).union(*map(names_of, topology.apps.values()))


def _app(app: App, lost: Mapping[str, str | None]) -> App:
    if lost.keys().isdisjoint(host.host for host in app.hosts):
        return app
    groups = {
        name: HostGroup(hosts, group.tags)
        for name, group in app.groups.items()
        if (hosts := _hosts(group.hosts, lost)) or not group.hosts
    }
    return msgspec.structs.replace(app, hosts=_hosts(app.hosts, lost), groups=groups)


def _hosts(hosts: tuple[Host, ...], lost: Mapping[str, str | None]) -> tuple[Host, ...]:
    placed = ((lost.get(host.host, host.host), host) for host in hosts)
    return tuple(
        Host(address, host.port, host.port_type) for address, host in placed if address is not None
    )


def _namespace(namespace: Namespace, lost: Mapping[str, str | None]) -> Namespace:
    leader = namespace.leader
    if leader.host not in lost:
        return namespace
    address = lost[leader.host]
    found = Leader() if address is None else msgspec.structs.replace(leader, host=address)
    return msgspec.structs.replace(namespace, leader=found)
