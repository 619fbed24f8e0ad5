"""Merges the apps of a vhost, in the original's order. Pure."""

import msgspec

from drove_gateway.model.vocabulary import App, Host, HostGroup


def joined(newer: App, earlier: App) -> App:
    """Merge two apps of a response on the same vhost: newer hosts first, the earlier tags win."""
    groups = dict(earlier.groups)
    for name, group in newer.groups.items():
        known = groups.get(name)
        groups[name] = (
            group if known is None else HostGroup(_union(group.hosts, known.hosts), known.tags)
        )
    return msgspec.structs.replace(
        earlier,
        hosts=_union(newer.hosts, earlier.hosts),
        tags={**newer.tags, **earlier.tags},
        groups=groups,
    )


def across(earlier: App, later: App) -> App:
    """Merge a vhost of two namespaces: hosts are appended, the later tags overwrite."""
    groups = dict(earlier.groups)
    for name, group in later.groups.items():
        known = groups.get(name)
        groups[name] = (
            group
            if known is None
            else HostGroup(_union(known.hosts, group.hosts), {**known.tags, **group.tags})
        )
    return msgspec.structs.replace(
        earlier,
        hosts=_union(earlier.hosts, later.hosts),
        tags={**earlier.tags, **later.tags},
        groups=groups,
        routing_tag_key=later.routing_tag_key or earlier.routing_tag_key,
    )


def _union(first: tuple[Host, ...], second: tuple[Host, ...]) -> tuple[Host, ...]:
    """Both in order, each host once: two apps may list the same host:port."""
    return tuple(dict.fromkeys((*first, *second)))
