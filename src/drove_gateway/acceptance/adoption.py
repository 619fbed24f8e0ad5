"""What the proxy serves, as the memory of a start without stored state. Pure."""

from collections.abc import Mapping, Sequence

from drove_gateway.model.spelling import valid_vhost
from drove_gateway.model.vocabulary import (
    NO_TAGS,
    App,
    AppEndpoints,
    Host,
    Leader,
    Snapshot,
    Topology,
)
from drove_gateway.topology.namespace_build import NamespaceRules

_PREFIX = "served by the proxy: "


def is_adopted(app_id: str) -> bool:
    """Return whether an app stands for what the proxy served at the start."""
    return app_id.startswith(_PREFIX)


def adopted(served: Topology, rules: Sequence[NamespaceRules]) -> Mapping[str, Snapshot]:
    """Return what each namespace has, if `served` is what the proxy serves.

    A vhost counts for the first namespace that accepts it. What belongs to no namespace, such as
    the upstreams of an operator or the vhost of a leader, is left out.
    """
    apps: dict[str, list[AppEndpoints]] = {}
    reserved = {rule.leader_vhost for rule in rules}
    for vhost, app in served.apps.items():
        owner = next((rule for rule in rules if rule.accept(vhost)), None)
        if owner is None or vhost in reserved or not valid_vhost(vhost):
            continue
        apps.setdefault(owner.namespace, []).extend(_apps(app, owner.routing_tag))
    return {name: Snapshot(name, Leader(), tuple(listed)) for name, listed in apps.items()}


def _apps(app: App, routing_tag: str) -> list[AppEndpoints]:
    """An app for each host group, or for all hosts where the namespace has no groups."""
    groups: Mapping[str, tuple[Host, ...]] = {app.vhost: app.hosts}
    if routing_tag:
        groups = {name: group.hosts for name, group in app.groups.items()} or groups
    return [
        AppEndpoints(
            app_name=name,
            app_id=f"{_PREFIX}{app.vhost}" if name == app.vhost else f"{_PREFIX}{app.vhost}/{name}",
            vhost=app.vhost,
            tags=NO_TAGS if name == app.vhost else {routing_tag: name},
            hosts=hosts,
        )
        for name, hosts in groups.items()
        if hosts
    ]
