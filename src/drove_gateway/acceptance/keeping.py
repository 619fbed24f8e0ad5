"""Puts held servers back into a response. Pure."""

from collections.abc import Collection, Mapping

import msgspec

from drove_gateway.acceptance.missing import Server
from drove_gateway.model.vocabulary import AppEndpoints, Host, Snapshot
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.namespace_build import NamespaceBuild


def with_kept(
    listed: TopologyBuild, served: TopologyBuild, kept: Collection[Server]
) -> Mapping[str, Snapshot]:
    """Return the listed snapshots with the `kept` servers of `served` in their apps.

    An app that is no longer listed, or cannot be used as it is listed, keeps its last good form.
    An app that is listed for another vhost serves there; its held servers stay under another id.
    """
    hosts: dict[str, dict[str, list[Host]]] = {}
    for server in kept:
        hosts.setdefault(server.namespace, {}).setdefault(server.app_id, []).append(server.host)
    return {
        name: _with_kept(part, served.parts[name], hosts[name]) if name in hosts else part.snapshot
        for name, part in listed.parts.items()
    }


def _with_kept(
    listed: NamespaceBuild, served: NamespaceBuild, hosts: Mapping[str, list[Host]]
) -> Snapshot:
    kept_apps = (_app(app_id, listed, served, kept) for app_id, kept in hosts.items())
    back = {app.app_id: app for app in kept_apps}
    # An app that is listed twice counts as it is listed last.
    apps = [back.pop(app.app_id, app) for app in reversed(listed.snapshot.apps)]
    return msgspec.structs.replace(listed.snapshot, apps=(*reversed(apps), *back.values()))


def _app(
    app_id: str, listed: NamespaceBuild, served: NamespaceBuild, kept: list[Host]
) -> AppEndpoints:
    before, now = served.accepted_apps[app_id], listed.accepted_apps.get(app_id)
    if now is not None and now.vhost and now.vhost != before.vhost:
        name = f"{app_id} at {before.vhost}"
        app = msgspec.structs.replace(before.source, app_id=name, hosts=tuple(kept))
    elif now is None or now.vhost != before.vhost:
        app = msgspec.structs.replace(before.source, hosts=tuple(kept))
    else:
        addresses = {(host.host, host.port) for host in kept}
        others = (h for h in now.source.hosts if (h.host, h.port) not in addresses)
        app = msgspec.structs.replace(now.source, hosts=(*others, *kept))
    old = before.source
    same = (app.app_id, app.vhost, app.tags) == (old.app_id, old.vhost, old.tags)
    return old if same and set(app.hosts) == set(old.hosts) else app
