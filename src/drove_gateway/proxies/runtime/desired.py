"""What each backend should hold, and which vhosts have to be looked at again."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeAlias

from drove_gateway.model.versioned_map import VersionedMap, changed_keys, versioned
from drove_gateway.model.vocabulary import NO_TAGS, App, Host, Tags, Topology
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.servers import DesiredBackend, DesiredServer

Backends: TypeAlias = Mapping[str, tuple[Host, ...]]

_seconds = re.compile(r"\d+(?:\.\d+)?", re.ASCII).fullmatch


def drain_seconds(tags: Tags, tag: str, default: float) -> float:
    """How long a removed server of a vhost with `tags` may finish its requests.

    The tag's value counts where it is a decimal number of seconds: "90", "2.5".
    """
    value = tags.get(tag, "") if tag else ""
    return float(value) if _seconds(value) else default


def host_names(topology: Topology) -> set[str]:
    """Every host of a topology, by name or address."""
    return {_bare(host) for app in topology.apps.values() for host in app.hosts}


class DesiredServers:
    """The vhosts as they were last brought up to date, so that unchanged ones cost nothing.

    `drain_seconds` says how long removed servers of an app may finish their requests,
    `leaving_seconds` how long those of an app that left as a whole.
    """

    def __init__(
        self,
        adapter: Adapter,
        resolver: Resolver,
        drain_seconds: Callable[[App], float],
        leaving_seconds: Callable[[App], float],
    ) -> None:
        self._adapter = adapter
        self._resolver = resolver
        self._drain_seconds = drain_seconds
        self._leaving_seconds = leaving_seconds
        self._applied: VersionedMap[App] = VersionedMap()
        self._again: dict[str, str] = {}
        self._vhosts: dict[str, str] = {}
        self._due: tuple[Topology, tuple[DesiredBackend, ...]] | None = None
        self._apps: tuple[Topology | None, VersionedMap[App]] = None, self._applied

    def due(self, topology: Topology) -> tuple[DesiredBackend, ...]:
        """The backends of every vhost that changed, left, or has to be looked at again."""
        if self._due is None or self._due[0] is not topology:
            vhosts = self._due_vhosts(topology)
            self._due = topology, tuple(b for v in vhosts for b in self._of(v, topology))
            self._vhosts |= {backend.name: backend.vhost for backend in self._due[1]}
        return self._due[1]

    def reason(self, vhost: str, topology: Topology) -> str:
        """Why a due vhost is looked at."""
        before, app = self._applied.get(vhost), topology.apps.get(vhost)
        if before is None or app is None:
            return self._again.get(vhost) or f"vhost {'removed' if app is None else 'added'}"
        had, has = set(before.hosts), set(app.hosts)
        changed = f"+{len(has - had)} -{len(had - has)} servers"
        return changed if had != has else self._again.get(vhost) or "host groups changed"

    def settle(self, topology: Topology, is_settled: Callable[[DesiredBackend], bool]) -> None:
        """Note the vhosts whose every backend `is_settled` as up to date."""
        unsettled = {backend.vhost for backend in self.due(topology) if not is_settled(backend)}
        before = {vhost: self._applied[vhost] for vhost in unsettled & self._applied.keys()}
        self._applied = self._apps_of(topology).updated(before, without=unsettled - before.keys())
        self._again = {vhost: why for vhost, why in self._again.items() if vhost in unsettled}
        for backend in self.due(topology):
            if not backend.servers and backend.vhost not in self._applied:
                self._vhosts.pop(backend.name, None)
        self._due = None

    def unresolved(self, topology: Topology) -> list[tuple[str, str]]:
        """Vhosts with missing servers since a host name has no address, with the reason."""
        return [
            (app.vhost, f"host {name} has no address, its servers are left out: {why}")
            for app in map(topology.apps.get, self._due_vhosts(topology))
            if app is not None
            for name, why in self._resolver.known(set(map(_bare, app.hosts))).failed.items()
        ]

    def names(self, backends: Collection[DesiredBackend], topology: Topology) -> set[str]:
        """The hosts of the vhosts of `backends`, by name or address."""
        apps = map(topology.apps.get, {backend.vhost for backend in backends})
        return {_bare(host) for app in apps if app is not None for host in app.hosts}

    def forget_due(self) -> None:
        """Addresses may have changed since the due backends were found."""
        self._due = None

    def backends(self) -> list[str]:
        """Every backend that was brought up to date."""
        return [
            backend
            for app in self._applied.values()
            for backend, hosts in self._adapter.backends(app).items()
            if self._adapter.balances(hosts)
        ]

    def pieces(self, size: int) -> Iterator[Sequence[str]]:
        """Every backend that was brought up to date, `size` at a time."""
        names = self.backends()
        return (names[n : n + size] for n in range(0, len(names), size))

    def applied(self, backends: Collection[str]) -> Iterator[DesiredBackend]:
        """What those of `backends` should have whose vhosts are up to date."""
        for vhost in {self._vhosts[name] for name in backends if name in self._vhosts}:
            app = self._applied.get(vhost)
            if app is None or vhost in self._again:
                continue
            for name, hosts in self._adapter.backends(app).items():
                if name in backends and self._adapter.balances(hosts):
                    servers, patience = tuple(self._servers(hosts)), self._drain_seconds(app)
                    yield DesiredBackend(name, vhost, servers, patience)

    def vhosts(self) -> Collection[str]:
        """Every vhost that was brought up to date, or is being removed."""
        return self._applied.keys()

    def remove(self, vhost: str) -> None:
        """Empty the backends of a vhost that this process never saw."""
        self._due = None
        self._applied = self._applied.updated({vhost: App(vhost, vhost, (), NO_TAGS, {}, "")})

    def look_again(self, reason: str) -> None:
        """Look again at every vhost."""
        self._look_again(self._applied, reason)

    def look_again_at(self, backends: Collection[str], reason: str) -> None:
        """Look again at the vhosts of `backends`: their servers changed by themselves."""
        self._look_again({self._vhosts[name] for name in backends if name in self._vhosts}, reason)

    def look_again_at_host(self, name: str) -> bool:
        """Look again at every vhost with a server on the host `name`; False if there is none."""
        apps = self._applied.items()
        found = [vhost for vhost, app in apps if any(host.host == name for host in app.hosts)]
        self._look_again(found, f"{name} has another address")
        return bool(found)

    def _look_again(self, vhosts: Collection[str], reason: str) -> None:
        if vhosts:
            self._due = None
            self._again = dict.fromkeys(vhosts, reason) | self._again

    def _due_vhosts(self, topology: Topology) -> list[str]:
        again = filter(topology.apps.__contains__, self._again)
        return sorted({*changed_keys(self._applied, self._apps_of(topology)), *again})

    def _apps_of(self, topology: Topology) -> VersionedMap[App]:
        """The apps as a map whose versions are compared quickly, also after they were applied."""
        if self._apps[0] is not topology:
            self._apps = topology, versioned(topology.apps)
        return self._apps[1]

    def _of(self, vhost: str, topology: Topology) -> Iterator[DesiredBackend]:
        app, before = topology.apps.get(vhost), self._applied.get(vhost)
        had: Backends = {} if before is None else self._adapter.backends(before)
        has: Backends = {} if app is None else self._adapter.backends(app)
        if app is not None and before is not None and vhost not in self._again and _same(had, has):
            return
        # The servers that leave belong to the app as it was.
        leaving = self._leaving_seconds if app is None else self._drain_seconds
        patience = leaving(before or topology.apps[vhost])
        for name, hosts in has.items():
            if self._adapter.balances(hosts):
                yield DesiredBackend(name, vhost, tuple(self._servers(hosts)), patience)
        for name, hosts in had.items():
            if name not in has and self._adapter.balances(hosts):
                yield DesiredBackend(name, vhost, (), patience, leaves=True)

    def _servers(self, hosts: tuple[Host, ...]) -> Iterator[DesiredServer]:
        addresses = self._resolver.known(set(map(_bare, hosts))).addresses
        for host in hosts:
            address = addresses.get(_bare(host), "")
            name = self._adapter.server_name(host, address)
            tls = self._adapter.uses_tls(host)
            yield DesiredServer(name, address, host.port, host.port_type == "https", tls)


def _bare(host: Host) -> str:
    return host.host.strip("[]")


def _same(first: Backends, other: Backends) -> bool:
    """Whether the backends have the same hosts, in whatever order."""
    return first.keys() == other.keys() and all(
        hosts is other[name] or set(hosts) == set(other[name]) for name, hosts in first.items()
    )
