"""What a configuration file serves, read from its text: for a start without memory. Pure.

Each kind of proxy reads its own language; here the result becomes a topology. Only names and
servers can be read back: tags and the ids of apps are not in the file.
"""

from collections.abc import Callable, Collection, Iterable, Mapping

from drove_gateway.model.vocabulary import NO_TAGS, App, Host, HostGroup, Topology

Served = Mapping[str, Mapping[str, tuple[Host, ...]]]
"""The hosts of each group of each vhost. The default group has the vhost's name."""

ReadServed = Callable[[str], Served]
"""Reads the text of a configuration. It never fails: text it does not understand serves nothing."""


class ServedHosts:
    """Collects hosts by vhost and group, each host once and in the order of the file."""

    def __init__(self) -> None:
        self._hosts: dict[str, dict[str, dict[Host, None]]] = {}

    def add(self, vhost: str, group: str, hosts: Iterable[Host]) -> None:
        """Add `hosts` to a group; `vhost` may have capital letters and a port."""
        name = vhost.lower().partition(":")[0]
        group = name if group == vhost else group.lower()
        self._hosts.setdefault(name, {}).setdefault(group, {}).update(dict.fromkeys(hosts))

    @property
    def served(self) -> Served:
        return {
            vhost: {group: tuple(hosts) for group, hosts in groups.items()}
            for vhost, groups in self._hosts.items()
        }


def served_topology(
    served: Served, *, fixed: Collection[str] = (), routing_tag: str = ""
) -> Topology:
    """Return `served` as a topology without namespaces.

    `fixed` are names that the template or the namespaces bring along without any app. Vhosts
    without servers are left out: whether they serve cannot be read from the file.
    """
    return Topology(
        apps={
            vhost: _app(vhost, groups, routing_tag)
            for vhost, groups in served.items()
            if vhost not in fixed and any(groups.values())
        },
        namespaces={},
    )


def _app(vhost: str, groups: Mapping[str, tuple[Host, ...]], routing_tag: str) -> App:
    hosts = dict.fromkeys(host for group in groups.values() for host in group)
    return App(
        id=vhost,
        vhost=vhost,
        hosts=tuple(hosts),
        tags=NO_TAGS,
        groups={name: HostGroup(group, NO_TAGS) for name, group in groups.items() if group},
        routing_tag_key=routing_tag,
    )


def host_at(address: str, *, https: bool, default_port: int = 0) -> Host | None:
    """Return the host at an address as proxies write it, as in `web-1:80` or `[2001:db8::1]:80`.

    None for anything that is not a host with a port: a Unix socket, a variable, a range.
    """
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        host, port = address, str(default_port)
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        return None
    if not all(letter.isalnum() or letter in "-._:" for letter in host):
        return None
    return Host(host.lower(), int(port), "https" if https else "http")
