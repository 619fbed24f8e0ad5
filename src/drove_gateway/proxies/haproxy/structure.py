"""What of a topology the runtime API cannot change: vhosts, backends, leaders. Pure."""

from collections.abc import Iterator, Sequence

from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.vocabulary import App, Topology
from drove_gateway.proxies.haproxy.names import Naming

# Reasons are for people: the first few by name, then a count.
_MOST_NAMED = 20


def reasons(old: Topology, new: Topology, naming: Naming) -> tuple[str, ...]:
    """Why going from `old` to `new` needs a reload; empty when it does not."""
    vhosts = changed_keys(old.apps, new.apps)
    lines = [
        *(f"vhost {vhost} added" for vhost in vhosts if vhost not in old.apps),
        *(f"vhost {vhost} removed" for vhost in vhosts if vhost not in new.apps),
        *_backends(old, new, vhosts, naming),
        *_leaders(old, new),
    ]
    if len(lines) > _MOST_NAMED:
        lines[_MOST_NAMED:] = [f"and {len(lines) - _MOST_NAMED} more changes"]
    return tuple(lines)


def _backends(old: Topology, new: Topology, vhosts: Sequence[str], naming: Naming) -> Iterator[str]:
    for vhost in vhosts:
        before, app = old.apps.get(vhost), new.apps.get(vhost)
        if before is None or app is None or _same_groups(before, app):
            continue
        had, has = naming.backends(before).keys(), naming.backends(app).keys()
        yield from (f"backend {backend} added" for backend in sorted(has - had))
        yield from (f"backend {backend} removed" for backend in sorted(had - has))


def _same_groups(old: App, new: App) -> bool:
    return old.routing_tag_key == new.routing_tag_key and old.groups.keys() == new.groups.keys()


def _leaders(old: Topology, new: Topology) -> Iterator[str]:
    """A leader matters to the configuration where the namespace has a vhost for it."""
    for name, namespace in new.namespaces.items():
        before = old.namespaces.get(name)
        if namespace.leader_vhost and (before is None or before.leader != namespace.leader):
            yield f"leader of namespace {name} moved"
