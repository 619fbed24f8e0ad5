"""The forms in which a refused vhost may still be served, the least different first. Pure."""

import ipaddress
from collections.abc import Collection, Iterator

import msgspec

from drove_gateway.model.vocabulary import App, HostGroup, Namespace
from drove_gateway.model.wording import first_and_more

# A vhost with more wrong names than these loses all its names at once, and keeps its addresses.
MOST_NAMES = 3
_MOST_SHOWN = 3

Form = App | Namespace | None
"""What serves a part; None leaves it out."""


def forms(
    new: Form, good: Form, hosts: Collection[str], groups: Collection[str] = ()
) -> Iterator[Form]:
    """Yield what can take the place of `new`: without `hosts`, without `groups`, with the last
    good tags, as it was, and out.

    A tag is never left out by itself: it may protect the app. `good` is the form that was accepted
    last, None where there is none.
    """
    if isinstance(new, App):
        before = good if isinstance(good, App) else None
        yield from _distinct(_smaller(new, before, hosts, groups), new)
    if good is not None and good != new:
        yield good
    if isinstance(good, App) and hosts:
        left = without_hosts(good, hosts)
        if left.hosts and left != new:
            yield left
    yield None


def names_of(app: App) -> frozenset[str]:
    """Return the hosts of `app` that are names."""
    return frozenset(host.host for host in app.hosts if is_name(host.host))


def is_name(host: str) -> bool:
    """Return whether `host` is a name: only a name can fail to be found."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return True
    return False


def without_hosts(app: App, hosts: Collection[str]) -> App:
    """Return `app` without these hosts; groups that become empty are left out."""
    left = {host.lower() for host in hosts}
    groups = {
        name: HostGroup(tuple(h for h in group.hosts if h.host.lower() not in left), group.tags)
        for name, group in app.groups.items()
    }
    return msgspec.structs.replace(
        app,
        hosts=tuple(host for host in app.hosts if host.host.lower() not in left),
        groups={name: group for name, group in groups.items() if group.hosts},
    )


def difference(form: Form, wanted: Form, good: Form) -> str:
    """Describe how `form`, which is served, differs from what is `wanted`."""
    if wanted is None:
        return "still served, since the configuration without it is refused"
    if form is None:
        return "left out, since the proxy accepts no form of it"
    if not isinstance(form, App) or not isinstance(wanted, App) or form == good:
        return "left at its last good form"
    parts = []
    hosts = sorted({host.host for host in wanted.hosts} - {host.host for host in form.hosts})
    groups = sorted(wanted.groups.keys() - form.groups.keys())
    if groups and set(form.groups):
        parts.append(f"without group {first_and_more(groups, _MOST_SHOWN, separator=', ')}")
    if hosts:
        parts.append(f"without host {first_and_more(hosts, _MOST_SHOWN, separator=', ')}")
    if form.tags != wanted.tags:
        parts.append("with its last good tags")
    return f"served {' and '.join(parts)}" if parts else "left at its last good form"


def _smaller(
    new: App, good: App | None, hosts: Collection[str], groups: Collection[str]
) -> Iterator[App]:
    left = without_hosts(new, hosts) if hosts else new
    yield left
    if groups:
        yield _without_groups(left, groups)
    if good is not None and good.tags != new.tags:
        yield _with_tags_of(left, good)


def _without_groups(app: App, groups: Collection[str]) -> App:
    kept = {name: group for name, group in app.groups.items() if name not in groups}
    hosts = {host for group in kept.values() for host in group.hosts}
    return msgspec.structs.replace(
        app, groups=kept, hosts=tuple(host for host in app.hosts if host in hosts)
    )


def _with_tags_of(app: App, good: App) -> App:
    groups = {
        name: HostGroup(group.hosts, good.groups[name].tags if name in good.groups else good.tags)
        for name, group in app.groups.items()
    }
    return msgspec.structs.replace(app, tags=good.tags, groups=groups)


def _distinct(candidates: Iterator[App], new: App) -> Iterator[App]:
    for app in candidates:
        if app.hosts and app != new:
            yield app
