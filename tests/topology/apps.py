"""Apps of a response, and the topology that is built from them."""

from collections.abc import Sequence

from drove_gateway.model.vocabulary import (
    App,
    AppEndpoints,
    Host,
    Leader,
    Snapshot,
    Topology,
)
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import NamespaceRules

LEADER = Leader("http://c1:4000", "c1", 4000)

VHOST = "web.example.com"

ALL = NamespaceRules("stage")


def host(number: int, port_type: str = "http") -> Host:
    return Host(f"10.0.0.{number}", 31000 + number, port_type)


def app(*numbers: int, app_id: str = "web-1", vhost: str = VHOST, **tags: str) -> AppEndpoints:
    return AppEndpoints(app_id.partition("-")[0], app_id, vhost, tags, tuple(map(host, numbers)))


def snapshot(*apps: AppEndpoints, namespace: str = "stage") -> Snapshot:
    return Snapshot(namespace, LEADER, apps)


def built(*apps: AppEndpoints, rule: NamespaceRules = ALL) -> TopologyBuild:
    return build({rule.namespace: snapshot(*apps, namespace=rule.namespace)}, [rule])


def of(topology: Topology, vhost: str = VHOST) -> App:
    return topology.apps[vhost]


def numbers(hosts: Sequence[Host]) -> list[int]:
    return [address.port - 31000 for address in hosts]


def groups(served: App) -> dict[str, list[int]]:
    return {name: numbers(group.hosts) for name, group in served.groups.items()}
