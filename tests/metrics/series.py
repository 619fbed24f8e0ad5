"""The series that metrics expose, and topologies to record."""

from drove_gateway.metrics import Metrics
from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import NamespaceRules


def shown(metrics: Metrics) -> dict[str, float]:
    """Every series with its value."""
    lines = metrics.render().decode().splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {series: float(value) for series, value in pairs}


def snapshot(
    namespace: str, *vhosts: str, tags: dict[str, str] | None = None, hosts: int = 1
) -> Snapshot:
    return Snapshot(
        namespace,
        Leader(),
        tuple(
            AppEndpoints(
                "app",
                f"{vhost}-1",
                vhost,
                tags or {},
                tuple(Host(f"10.0.0.{number + 1}", 80, "http") for number in range(hosts)),
            )
            for vhost in vhosts
        ),
    )


def built(*snapshots: Snapshot, realm_suffix: str = "", routing_tag: str = "") -> TopologyBuild:
    rules = [
        NamespaceRules(each.namespace, frozenset(), realm_suffix, routing_tag) for each in snapshots
    ]
    return build({each.namespace: each for each in snapshots}, rules)
