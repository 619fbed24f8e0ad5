"""Which servers in traffic are missing from what the controllers list. Pure.

Both sides are compared after validation, realm, merging and grouping, so that a server whose entry
has become unusable is as missing as a server that is not listed. The cost follows what changed.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import TypeAlias

import msgspec

from drove_gateway.model.versioned_map import VersionedMap, changed_keys
from drove_gateway.model.vocabulary import Host
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.namespace_build import AcceptedApp

Address: TypeAlias = tuple[str, int]

# A change between these two is a change of the server; any other port type takes it out of traffic.
_BALANCED = frozenset({"http", "https"})
_NO_APPS: VersionedMap[AcceptedApp] = VersionedMap()


class Server(msgspec.Struct, frozen=True, gc=False):
    """A server in traffic: the namespace and app that listed it, and where it listens."""

    namespace: str
    app_id: str
    host: Host

    @property
    def address(self) -> Address:
        return self.host.host, self.host.port


class MissingServer(msgspec.Struct, frozen=True, gc=False):
    """A server of `vhost` in traffic that is not listed. `damaged` says that a part of its app's
    entry was rejected, so that the response says nothing about the server."""

    server: Server
    vhost: str
    damaged: bool = False


def missing_servers(served: TopologyBuild, listed: TopologyBuild) -> Iterator[MissingServer]:
    """Yield the servers of `served` that their vhosts do not have in `listed`."""
    present: dict[str, dict[Address, str]] = {}
    for namespace, part in served.parts.items():
        other = listed.parts.get(namespace)
        if other is part:
            continue
        unreadable = _unreadable(listed, namespace)
        apps = other.accepted_apps if other is not None else _NO_APPS
        for app_id in changed_keys(part.accepted_apps, apps):
            before, now = part.accepted_apps.get(app_id), apps.get(app_id)
            if before is None or not before.vhost:
                continue
            if before.vhost not in present:
                present[before.vhost] = _addresses(listed, before.vhost)
            damaged = app_id in unreadable or (now is not None and bool(now.rejected))
            for host in before.hosts:
                if not _is_present(host, present[before.vhost]):
                    server = Server(namespace, app_id, host)
                    yield MissingServer(server, before.vhost, damaged)


def strangers(listed: TopologyBuild, suspects: Collection[MissingServer]) -> Mapping[Server, str]:
    """Return the suspects whose address is listed for something else, with what that is.

    Ports are reused: such a server would pass requests to another app. An app that has become
    unusable itself says nothing about its own servers.
    """
    if not suspects:
        return {}
    by_address: dict[Address, list[MissingServer]] = {}
    for suspect in suspects:
        by_address.setdefault(suspect.server.address, []).append(suspect)
    found: dict[Server, str] = {}
    for namespace, part in listed.parts.items():
        for app in part.accepted_apps.values():
            for host in app.source.hosts:
                for suspect in by_address.get((host.host, host.port), ()):
                    if _is_other(namespace, app, suspect):
                        found[suspect.server] = app.source.app_id
    return found


def _is_other(namespace: str, app: AcceptedApp, suspect: MissingServer) -> bool:
    server = suspect.server
    if (namespace, app.source.app_id) != (server.namespace, server.app_id):
        return True
    return app.ignored_by_realm or bool(app.vhost and app.vhost != suspect.vhost)


def _addresses(listed: TopologyBuild, vhost: str) -> dict[Address, str]:
    app = listed.topology.apps.get(vhost)
    return {} if app is None else {(host.host, host.port): host.port_type for host in app.hosts}


def _is_present(host: Host, present: Mapping[Address, str]) -> bool:
    now = present.get((host.host, host.port))
    return now == host.port_type or (now in _BALANCED and host.port_type in _BALANCED)


def _unreadable(listed: TopologyBuild, namespace: str) -> Collection[str]:
    part = listed.parts.get(namespace)
    rejected = part.snapshot.rejected if part is not None else ()
    return {rejection.app_id for rejection in rejected}
