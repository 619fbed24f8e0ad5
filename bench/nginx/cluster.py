"""The cluster that NGINX is measured with."""

from collections.abc import Callable, Iterable

import msgspec
from bench.rig.apps import app, vhost

from drove_gateway.model.vocabulary import Leader, Namespace, Topology

VHOSTS = 1000
SERVERS = 10


def cluster(servers: Callable[[int], Iterable[int]], vhosts: int = VHOSTS) -> Topology:
    """A topology; `servers` says which instances the app of a number has."""
    return Topology(
        apps={vhost(number): app(number, servers(number)) for number in range(vhosts)},
        namespaces={"bench": Namespace("", Leader("http://127.0.0.1:4000", "127.0.0.1", 4000), "")},
    )


def changed(topology: Topology, number: int, servers: Iterable[int]) -> Topology:
    """The same with other instances of one app; all else stays the same object."""
    other = app(number, servers)
    return msgspec.structs.replace(topology, apps={**topology.apps, other.vhost: other})
