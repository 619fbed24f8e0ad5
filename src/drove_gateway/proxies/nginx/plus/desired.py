"""From the topology to what upstreams should hold. Pure.

An upstream is named like its vhost and holds all of the app's hosts, as in the original. Groups
with a host that speaks neither http nor https are left out, as its documentation says.
"""

import ipaddress
from collections.abc import Mapping

import msgspec

from drove_gateway.model.versioned_map import changed_keys
from drove_gateway.model.vocabulary import App, Host, Topology
from drove_gateway.proxies.nginx.plus.wire import address
from drove_gateway.topology.topology_diff import TopologyDiff, reasons, topology_diff

_PORT_TYPES = frozenset({"http", "https"})


class Wanted(msgspec.Struct, frozen=True):
    """The servers that an upstream should hold; `unresolved` are host names without an address."""

    servers: tuple[str, ...] = ()
    unresolved: tuple[str, ...] = ()


def hosts(app: App) -> tuple[Host, ...] | None:
    """The hosts that go into the app's upstream; None where it is not to be touched at all."""
    skipped: set[Host] = set()
    for group in app.groups.values():
        if any(host.port_type not in _PORT_TYPES for host in group.hosts):
            skipped.update(group.hosts)
    kept = tuple(
        host for host in app.hosts if host.port_type in _PORT_TYPES and host not in skipped
    )
    return kept if kept or not app.hosts else None


def names(app: App) -> frozenset[str]:
    """The host names of an app that have to be resolved."""
    return frozenset(host.host for host in hosts(app) or () if not _is_ip(host.host))


def wanted(app: App, addresses: Mapping[str, str]) -> Wanted:
    """The app's servers by address; `addresses` has those of its host names."""
    servers: list[str] = []
    unresolved: list[str] = []
    for host in hosts(app) or ():
        ip = addresses.get(host.host, host.host)
        try:
            servers.append(address(ip, host.port))
        except ValueError:
            unresolved.append(host.host)
    return Wanted(tuple(dict.fromkeys(servers)), tuple(dict.fromkeys(unresolved)))


def drain_seconds(app: App, tag: str, default: float) -> float:
    """How long a removed server of the vhost may finish its requests: its tag, else `default`."""
    value = app.tags.get(tag, "") if tag else ""
    return float(value) if value.isascii() and value.isdigit() else default


def structural(old: Topology | None, new: Topology) -> tuple[str, ...]:
    """Why the configuration has to be rendered and reloaded to come from `old` to `new`.

    Servers are the API's; a reload is for vhosts that come or go, and for the leader of a
    namespace that has a vhost of its own. Empty where nothing was rendered yet.
    """
    if old is None:
        return ()
    found = topology_diff(old, new)
    leaders = tuple(
        name
        for name in found.leaders
        if any(name in one.namespaces and one.namespaces[name].leader_vhost for one in (old, new))
    )
    return reasons(TopologyDiff(added=found.added, removed=found.removed, leaders=leaders))


def changed(old: Topology | None, new: Topology) -> Mapping[str, str]:
    """The vhosts whose upstreams may have to change to come from `old` to `new`, and why."""
    if old is None:
        return dict.fromkeys(_managed(new), "the gateway started")
    due: dict[str, str] = {}
    for vhost in changed_keys(old.apps, new.apps):
        before, app = old.apps.get(vhost), new.apps.get(vhost)
        then = hosts(before) if before is not None else None
        now = hosts(app) if app is not None else None
        if then is None and now is not None:
            due[vhost] = "vhost added"
        elif then is not None and app is None:
            due[vhost] = "vhost removed"
        elif then is not None and now is not None and set(now) != set(then):
            due[vhost] = f"+{len(set(now) - set(then))} -{len(set(then) - set(now))} servers"
    return due


def _managed(topology: Topology) -> list[str]:
    return [vhost for vhost, app in topology.apps.items() if hosts(app) is not None]


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
