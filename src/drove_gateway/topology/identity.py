"""Finds names that coincide, and decides who keeps each. Pure.

A proxy's name for a host group is made of the vhost, a separator and the group, so that two vhosts
can need the same name: `shop` with the group `eu_api`, and `shop_eu` with the group `api`. Servers
of one would then serve the other's requests. What has a name keeps it; what came later is left
out, the smallest thing that has the name: a host group, or a server. Of two that come together,
the first in order keeps the name, so that every gateway decides alike.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import msgspec

from drove_gateway.model.versioned_map import VersionedMap, changed_keys
from drove_gateway.model.vocabulary import App, Host
from drove_gateway.topology.names import Naming, by_backend


class Claim(msgspec.Struct, frozen=True, gc=False, order=True):
    """A host group that needs a name."""

    vhost: str
    group: str

    def __str__(self) -> str:
        return self.vhost if self.group == self.vhost else f"{self.vhost}, group {self.group}"


class Claims(msgspec.Struct, frozen=True):
    """Who needs which backend's name.

    `contested` are the names that more than one vhost needs, `reserved` those that the
    configuration itself may have, `doubled` the vhosts of which two servers in a backend need the
    same name.

    It is kept from one topology to the next, so that finding coincidences costs what changed.
    """

    apps: VersionedMap[App] = VersionedMap()
    by_name: VersionedMap[tuple[Claim, ...]] = VersionedMap()
    contested: frozenset[str] = frozenset()
    doubled: frozenset[str] = frozenset()
    reserved: frozenset[str] = frozenset()


Reasons: TypeAlias = Mapping[Claim, str]


class Refused(msgspec.Struct, frozen=True):
    """The host groups and the servers of vhosts that are left out, with the reasons."""

    groups: Reasons = {}
    hosts: Mapping[str, Mapping[Host, str]] = {}

    def __bool__(self) -> bool:
        return bool(self.groups or self.hosts)

    @property
    def vhosts(self) -> frozenset[str]:
        """The vhosts of which something is left out."""
        return frozenset(claim.vhost for claim in self.groups) | self.hosts.keys()


NO_CLAIMS: Final = Claims()


def claims(apps: VersionedMap[App], naming: Naming, before: Claims = NO_CLAIMS) -> Claims:
    """Return who needs which name among `apps`; `before` was found with the same `naming`."""
    due = changed_keys(before.apps, apps)
    if not due:
        return before
    touched: dict[str, dict[Claim, None]] = {}

    def of(name: str) -> dict[Claim, None]:
        known = before.by_name.get(name, ())
        return touched.setdefault(name, dict.fromkeys(known))

    for vhost in due:
        for name, claim in _needs(before.apps.get(vhost), naming):
            of(name).pop(claim, None)
    for vhost in due:
        for name, claim in _needs(apps.get(vhost), naming):
            of(name)[claim] = None
    empty = [name for name, found in touched.items() if not found]
    contested = {name for name, found in touched.items() if len({c.vhost for c in found}) > 1}
    present = [app for app in map(apps.get, due) if app is not None]
    doubled = {app.vhost for app in present if any(_twins(app, naming))}
    return Claims(
        apps,
        before.by_name.updated(
            {name: tuple(found) for name, found in touched.items() if found}, without=empty
        ),
        (before.contested - touched.keys()) | contested,
        (before.doubled - set(due)) | doubled,
        (before.reserved - touched.keys())
        | {name for name, found in touched.items() if found and naming.is_reserved(name)},
    )


def refused(
    found: Claims, naming: Naming, leaders: Mapping[str, str], incumbents: Mapping[str, App]
) -> Refused:
    """Return what has to be left out so that no name is used twice.

    `leaders` has the namespace for each vhost of a leading controller, whose name is never given
    away. `incumbents` are the vhosts as they are served now.
    """
    groups: dict[Claim, str] = {}
    taken = found.reserved | {name for name in leaders if name in found.by_name}
    for name in taken:
        owner = f"the leader_vhost of namespace {leaders[name]}" if name in leaders else "itself"
        reason = f"its backend would be called {name}, a name that the configuration needs for "
        for claim in found.by_name[name]:
            groups[claim] = f"{reason}{owner}; the group is left out"
    for name in found.contested - taken:
        first, *others = _in_order(found.by_name[name], incumbents)
        for claim in others:
            if claim.vhost != first.vhost:
                groups[claim] = (
                    f"its backend would be called {name}, as that of {first}, which came first; "
                    "the group is left out"
                )
    hosts = {
        vhost: dict(_refused_hosts(found.apps[vhost], naming, incumbents.get(vhost)))
        for vhost in found.doubled
    }
    return Refused(groups, hosts)


def _needs(app: App | None, naming: Naming) -> Iterator[tuple[str, Claim]]:
    if app is not None:
        for name, groups in by_backend(naming, app).items():
            yield from ((name, Claim(app.vhost, group)) for group in groups)
        for name in naming.further(app):
            yield from ((name, Claim(app.vhost, group)) for group in app.groups)


def _in_order(found: Sequence[Claim], incumbents: Mapping[str, App]) -> list[Claim]:
    """First what is served already, then by name."""

    def place(claim: Claim) -> tuple[bool, Claim]:
        served = incumbents.get(claim.vhost)
        return served is None or claim.group not in served.groups, claim

    return sorted(found, key=place)


def _twins(app: App, naming: Naming) -> Iterator[tuple[str, tuple[Host, ...]]]:
    """Yield the server names that several hosts of a backend need, with those hosts."""
    for groups in by_backend(naming, app).values():
        hosts = dict.fromkeys(host for group in groups for host in app.groups[group].hosts)
        names: dict[str, list[Host]] = {}
        for host in hosts:
            names.setdefault(naming.server(host), []).append(host)
        if len(names) < len(hosts):
            yield from ((name, tuple(several)) for name, several in names.items() if several[1:])


def _refused_hosts(app: App, naming: Naming, served: App | None) -> Iterator[tuple[Host, str]]:
    before = frozenset(served.hosts) if served is not None else frozenset()
    for name, several in _twins(app, naming):
        first, *others = sorted(several, key=lambda host: (host not in before, host))
        reason = (
            f"its server would be called {name}, as that of the {first.port_type} server "
            f"{first.host}:{first.port}, which came first; the host is left out"
        )
        yield from ((host, reason) for host in others)
