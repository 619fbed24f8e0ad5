"""A vhost to try a template with, where nothing is known of the cluster. Pure."""

from drove_gateway.config import Settings
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)


def sample_topology(settings: Settings) -> Topology:
    """Return a vhost with names and addresses that are reserved for documentation."""
    hosts = (Host("192.0.2.10", 31000, "http"), Host("2001:db8::10", 31001, "http"))
    vhost = "app.example.com"
    tag = settings.namespaces[0].routing_tag if settings.namespaces else ""
    return Topology(
        apps={vhost: App(vhost, vhost, hosts, {}, {vhost: HostGroup(hosts, {})}, tag)},
        namespaces={
            namespace.name: Namespace(
                namespace.leader_vhost,
                Leader("http://192.0.2.1:10000", "192.0.2.1", 10000),
                namespace.routing_tag,
            )
            for namespace in settings.namespaces
        },
    )
