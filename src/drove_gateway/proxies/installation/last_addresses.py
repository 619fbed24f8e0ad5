"""Hosts whose names cannot be resolved any more are served at their last known addresses.

A proxy that resolves names when it loads its configuration refuses the whole configuration because
of a single such name. The servers may be fine, and every other vhost is.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

import msgspec

from drove_gateway.model.health import HealthSection, of_names
from drove_gateway.model.vocabulary import App, Host, HostGroup, Namespace, Topology
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

    def instead_of_names(self, topology: Topology) -> Topology:
        """Return `topology` with the last addresses of the hosts that cannot be resolved."""
        names = _names(topology)
        known = self._names.known(names) if names else None
        if known is None or not known.stale:
            return topology
        lost = {name: known.addresses[name] for name in known.stale}
        return Topology(
            apps={vhost: _app(app, lost) for vhost, app in topology.apps.items()},
            namespaces={name: _namespace(n, lost) for name, n in topology.namespaces.items()},
        )

    def health(self, topology: Topology) -> HealthSection:
        """Unhealthy as long as a host of `topology` is served at its last address, with its name.

        A host that never had an address is refused by the proxy, which is reported elsewhere.
        """
        stale = self._names.known(_names(topology)).stale
        if not stale:
            return HealthSection()
        shown = [f"{name} ({problem})" for name, problem in sorted(stale.items())]
        listed = first_and_more(shown, _NAMED_IN_HEALTH, separator=", ")
        message = f"resolver fails, last known address serves: {listed}"
        return of_names(HealthSection(healthy=False, message=message), stale, topology)


def _names(topology: Topology) -> set[str]:
    leaders = {each.leader.host for each in topology.namespaces.values() if each.leader.host}
    return set(filter(is_name, leaders)).union(*map(names_of, topology.apps.values()))


def _app(app: App, lost: Mapping[str, str]) -> App:
    if lost.keys().isdisjoint(host.host for host in app.hosts):
        return app
    groups = {
        name: HostGroup(_hosts(group.hosts, lost), group.tags) for name, group in app.groups.items()
    }
    return msgspec.structs.replace(app, hosts=_hosts(app.hosts, lost), groups=groups)


def _hosts(hosts: tuple[Host, ...], lost: Mapping[str, str]) -> tuple[Host, ...]:
    return tuple(Host(lost.get(host.host, host.host), host.port, host.port_type) for host in hosts)


def _namespace(namespace: Namespace, lost: Mapping[str, str]) -> Namespace:
    leader = namespace.leader
    if leader.host not in lost:
        return namespace
    return msgspec.structs.replace(
        namespace, leader=msgspec.structs.replace(leader, host=lost[leader.host])
    )
