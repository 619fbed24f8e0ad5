"""What each backend should hold, and which vhosts have to be looked at again."""

from collections.abc import Callable, Collection, Iterator

from drove_gateway.model.versioned_map import VersionedMap, changed_keys, versioned
from drove_gateway.model.vocabulary import App, Topology
from drove_gateway.proxies.haproxy.api.runtime_commands import valid_name
from drove_gateway.proxies.haproxy.names import balanced
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.planner import Target, wanted
from drove_gateway.proxies.runtime.resolver import Resolver


class Targets:
    """The vhosts as they were last brought up to date, so that unchanged ones cost nothing."""

    def __init__(self, options: Options, resolver: Resolver) -> None:
        self._options = options
        self._resolver = resolver
        self._applied: VersionedMap[App] = VersionedMap()
        self._again: set[str] = set()
        self._due: tuple[Topology, tuple[Target, ...]] | None = None

    def due(self, topology: Topology) -> tuple[Target, ...]:
        """The backends of every vhost that changed, went away, or has to be looked at again."""
        if self._due is None or self._due[0] is not topology:
            self._due = topology, tuple(self._find(topology))
        return self._due[1]

    def _find(self, topology: Topology) -> Iterator[Target]:
        for vhost in self._due_vhosts(topology):
            app = topology.apps.get(vhost)
            if app is not None:
                yield from self._of(app)
                continue
            app = self._applied[vhost]
            for backend in self._options.naming.backends(app):
                yield self._emptied(backend, app)

    def settle(self, topology: Topology, is_settled: Callable[[Target], bool]) -> None:
        """Note the vhosts whose every backend `is_settled` as up to date."""
        unsettled = {target.vhost for target in self.due(topology) if not is_settled(target)}
        as_before = {
            vhost: self._applied[vhost]
            for vhost in unsettled
            if vhost in topology.apps and vhost in self._applied
        }
        new = [vhost for vhost in unsettled if vhost not in as_before]
        self._applied = versioned(topology.apps).updated(as_before, without=new)
        self._again &= unsettled
        self._due = None

    def unresolved(self, topology: Topology) -> list[tuple[str, str]]:
        """Vhosts that lack servers since a host name has no address, with the reason."""
        return [
            (app.vhost, f"host {name} has no address, its servers are left out: {why}")
            for app in map(topology.apps.get, self._due_vhosts(topology))
            if app is not None
            for name, why in self._resolver.known({h.host for h in app.hosts}).failed.items()
        ]

    def look_again(self) -> None:
        """Look again at every vhost."""
        self._due = None
        self._again.update(self._applied)

    def look_again_at(self, backends: Collection[str]) -> None:
        """Look again at the vhosts of `backends`: their servers changed by themselves."""
        if backends:
            self._due = None
            naming = self._options.naming
            self._again.update(
                vhost
                for vhost, app in self._applied.items()
                if any(backend in backends for backend in naming.backends(app))
            )

    def look_again_at_host(self, host: str) -> None:
        """Look again at every vhost with a server on `host`: its address changed."""
        self._due = None
        self._again.update(
            vhost
            for vhost, app in self._applied.items()
            if any(one.host == host for one in app.hosts)
        )

    def _due_vhosts(self, topology: Topology) -> list[str]:
        again = filter(topology.apps.__contains__, self._again)
        return sorted({*changed_keys(self._applied, topology.apps), *again})

    def _of(self, app: App) -> Iterator[Target]:
        naming = self._options.naming
        before = self._applied.get(app.vhost, app)
        backends = naming.backends(app)
        for backend, hosts in backends.items():
            if balanced(hosts) and valid_name(backend):
                addresses = self._resolver.known({host.host for host in hosts}).addresses
                servers = wanted(hosts, naming, addresses)
                yield Target(backend, app.vhost, tuple(servers), before.tags)
        for backend in naming.backends(before):
            if backend not in backends:
                yield self._emptied(backend, before)

    def _emptied(self, backend: str, before: App) -> Target:
        return Target(backend, before.vhost, (), before.tags)
