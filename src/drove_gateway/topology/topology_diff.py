"""Compares two topologies. Pure; the order of hosts does not matter."""

from collections.abc import Iterator

import msgspec

from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.vocabulary import App, Host, Topology
from drove_gateway.model.wording import shortened

# A plan's reasons are for people: the first few vhosts by name, then a count.
_MOST_NAMED = 20


class VhostChange(msgspec.Struct, frozen=True):
    """How one vhost that stays differs. Hosts come in the order of the topology that has them."""

    vhost: str
    added: tuple[Host, ...]
    removed: tuple[Host, ...]
    tags: bool
    groups: bool


class TopologyDiff(msgspec.Struct, frozen=True):
    """From one topology to another. `leaders` names namespaces whose leader or vhost moved."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[VhostChange, ...] = ()
    leaders: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.added or self.removed or self.changed or self.leaders)


def topology_diff(old: Topology, new: Topology) -> TopologyDiff:
    """Compare. Vhosts that are the same object in both are skipped at once."""
    vhosts = changed_keys(old.apps, new.apps)
    pairs = (
        (old.apps[vhost], new.apps[vhost])
        for vhost in vhosts
        if vhost in old.apps and vhost in new.apps
    )
    return TopologyDiff(
        added=tuple(vhost for vhost in vhosts if vhost not in old.apps),
        removed=tuple(vhost for vhost in vhosts if vhost not in new.apps),
        changed=tuple(change for change in (_change(*pair) for pair in pairs) if change),
        leaders=tuple(
            name for name, seen in new.namespaces.items() if old.namespaces.get(name) != seen
        )
        + tuple(name for name in old.namespaces if name not in new.namespaces),
    )


def reasons(found: TopologyDiff) -> tuple[str, ...]:
    """Return the difference in words: a line for each vhost, and a count of those left out."""
    return shortened(list(_lines(found)), _MOST_NAMED, "changes")


def _lines(found: TopologyDiff) -> Iterator[str]:
    yield from (f"vhost {vhost} added" for vhost in found.added)
    yield from (f"vhost {vhost} removed" for vhost in found.removed)
    for change in found.changed:
        parts = []
        if change.added or change.removed:
            parts.append(f"+{len(change.added)} -{len(change.removed)} servers")
        if change.groups and not (change.added or change.removed):
            parts.append("host groups changed")
        if change.tags:
            parts.append("tags changed")
        yield f"vhost {change.vhost}: {', '.join(parts)}"
    yield from (f"leader of namespace {name} moved" for name in found.leaders)


def _change(old: App, new: App) -> VhostChange | None:
    before, after = set(old.hosts), set(new.hosts)
    change = VhostChange(
        vhost=new.vhost,
        added=tuple(host for host in new.hosts if host not in before),
        removed=tuple(host for host in old.hosts if host not in after),
        tags=old.tags != new.tags or old.routing_tag_key != new.routing_tag_key,
        groups=_groups(old) != _groups(new),
    )
    return change if change.added or change.removed or change.tags or change.groups else None


def _groups(app: App) -> dict[str, tuple[frozenset[Host], dict[str, str]]]:
    return {name: (frozenset(group.hosts), dict(group.tags)) for name, group in app.groups.items()}
