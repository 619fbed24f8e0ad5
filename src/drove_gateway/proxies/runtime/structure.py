"""What of a topology a runtime API cannot change: vhosts, backends, leaders. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.vocabulary import App, Tags, Topology
from drove_gateway.model.wording import shortened

Backends: TypeAlias = Callable[[App], Mapping[str, Any]]

# Reasons are for people: the first few by name, then a count.
_MOST_NAMED = 20
_WEB = frozenset({"http", "https"})


def structural_changes(
    old: Topology,
    new: Topology,
    backends: Backends,
    *,
    one_protocol: bool = False,
    text_decides: bool = False,
) -> tuple[str, ...]:
    """Why going from `old` to `new` needs a reload; empty when it does not.

    `backends` returns an app's backends by name. With `one_protocol` the configuration says whether
    a vhost's servers use TLS. With `text_decides` the texts are compared before a reload, so that
    what a template may make of tags counts as well.
    """
    vhosts = changed_keys(old.apps, new.apps)
    lines = [
        *(f"vhost {vhost} added" for vhost in vhosts if vhost not in old.apps),
        *(f"vhost {vhost} removed" for vhost in vhosts if vhost not in new.apps),
        *_backends(old, new, vhosts, backends),
        *(_protocols(old, new, vhosts) if one_protocol else ()),
        *(_tags(old, new, vhosts) if text_decides else ()),
        *_leaders(old, new),
    ]
    return shortened(lines, _MOST_NAMED, "changes")


def _backends(
    old: Topology, new: Topology, vhosts: Sequence[str], backends: Backends
) -> Iterator[str]:
    for vhost in vhosts:
        before, app = old.apps.get(vhost), new.apps.get(vhost)
        if before is None or app is None or _same_groups(before, app):
            continue
        had, has = backends(before).keys(), backends(app).keys()
        yield from (f"backend {backend} added" for backend in sorted(has - had))
        yield from (f"backend {backend} removed" for backend in sorted(had - has))


def _protocols(old: Topology, new: Topology, vhosts: Sequence[str]) -> Iterator[str]:
    for vhost in vhosts:
        before, app = old.apps.get(vhost), new.apps.get(vhost)
        if before is not None and app is not None:
            had, has = ({host.port_type for host in each.hosts} & _WEB for each in (before, app))
            if has and had != has:
                yield f"vhost {vhost} changed from {_all(had)} to {_all(has)}"


def _tags(old: Topology, new: Topology, vhosts: Sequence[str]) -> Iterator[str]:
    for vhost in vhosts:
        before, app = old.apps.get(vhost), new.apps.get(vhost)
        if before is not None and app is not None and _tags_of(before) != _tags_of(app):
            yield f"vhost {vhost} has other tags"


def _tags_of(app: App) -> Sequence[Tags]:
    return (app.tags, *(group.tags for _, group in sorted(app.groups.items())))


def _all(names: set[str]) -> str:
    return " and ".join(sorted(names)) or "no servers"


def _same_groups(old: App, new: App) -> bool:
    return old.routing_tag_key == new.routing_tag_key and old.groups.keys() == new.groups.keys()


def _leaders(old: Topology, new: Topology) -> Iterator[str]:
    """A leader matters to the configuration where the namespace has a vhost for it."""
    for name, namespace in new.namespaces.items():
        before = old.namespaces.get(name)
        if namespace.leader_vhost and (before is None or before.leader != namespace.leader):
            yield f"leader of namespace {name} moved"
