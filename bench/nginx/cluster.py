"""The cluster that NGINX is measured with."""

from collections.abc import Callable, Iterable

import msgspec

from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)

VHOSTS = 1000
SERVERS = 10


class NoMetrics:
    """Counts nothing."""

    def call(self, operation: str, ok: bool) -> None: ...
    def duration(self, ok: bool, seconds: float) -> None: ...
    def read_duration(self, ok: bool, seconds: float) -> None: ...


def vhost(number: int) -> str:
    return f"app{number:04}.example.com"


def cluster(servers: Callable[[int], Iterable[int]], vhosts: int = VHOSTS) -> Topology:
    """A topology; `servers` says which instances the app of a number has."""
    return Topology(
        apps={vhost(number): _app(number, servers(number)) for number in range(vhosts)},
        namespaces={"bench": Namespace("", Leader("http://127.0.0.1:4000", "127.0.0.1", 4000), "")},
    )


def _app(number: int, servers: Iterable[int]) -> App:
    hosts = tuple(
        Host(f"10.{number >> 8}.{number & 255}.{server}", 31000 + server, "http")
        for server in servers
    )
    name = vhost(number)
    return App(name, name, hosts, {}, {name: HostGroup(hosts, {})}, "")


def changed(topology: Topology, number: int, servers: Iterable[int]) -> Topology:
    """The same with other instances of one app; all else stays the same object."""
    app = _app(number, servers)
    return msgspec.structs.replace(topology, apps={**topology.apps, app.vhost: app})
