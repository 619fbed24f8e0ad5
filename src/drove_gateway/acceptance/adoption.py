"""What the proxy serves, as the memory of a start without stored state. Pure."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from drove_gateway.model.spelling import valid_vhost
from drove_gateway.model.vocabulary import NO_TAGS, AppEndpoints, Host, Leader, Snapshot
from drove_gateway.topology.namespace_build import NamespaceRules

_PREFIX = "served by the proxy: "


class ServedVhost(msgspec.Struct, frozen=True):
    """Servers of a vhost, or of a host group of it, that a proxy has. `group` is empty for all."""

    vhost: str
    hosts: tuple[Host, ...]
    group: str = ""


def is_adopted(app_id: str) -> bool:
    """Return whether an app stands for what the proxy served at the start."""
    return app_id.startswith(_PREFIX)


def adopted(
    served: Iterable[ServedVhost], rules: Sequence[NamespaceRules]
) -> Mapping[str, Snapshot]:
    """Return what each namespace has, if it is what the proxy serves.

    A vhost counts for the first namespace that accepts it. What belongs to no namespace, such as
    the upstreams of an operator or the leader's vhost, is left out.
    """
    apps: dict[str, list[AppEndpoints]] = {}
    reserved = {rule.leader_vhost for rule in rules}
    for each in served:
        owner = next((rule for rule in rules if rule.accept(each.vhost)), None)
        if owner is None or each.vhost in reserved or not valid_vhost(each.vhost):
            continue
        if each.hosts:
            apps.setdefault(owner.namespace, []).append(_app(each, owner))
    return {name: Snapshot(name, Leader(), tuple(listed)) for name, listed in apps.items()}


def _app(each: ServedVhost, owner: NamespaceRules) -> AppEndpoints:
    grouped = bool(each.group and owner.routing_tag and each.group != each.vhost)
    name = f"{each.vhost}/{each.group}" if grouped else each.vhost
    tags = {owner.routing_tag: each.group} if grouped else NO_TAGS
    return AppEndpoints(name, f"{_PREFIX}{name}", each.vhost, tags, each.hosts)
