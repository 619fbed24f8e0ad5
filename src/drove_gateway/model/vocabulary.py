"""The vocabulary: what Drove reports, and the desired state.

All types are frozen, and so is what they hold: mappings are typed as ``Mapping``, and no value
changes after it was built. Wherever a template or ``/v1/config`` shows a value, the encoded
names (``rename``) are those of the original's Go structs: `Hosts`, `PortType`, `LeaderVHost`.
"""

from collections.abc import Mapping
from typing import Annotated, TypeAlias

import msgspec

from drove_gateway.model.noticed import Noticed

Tags: TypeAlias = Mapping[str, str]

NO_TAGS: Tags = {}


class Host(
    msgspec.Struct,
    frozen=True,
    order=True,
    gc=False,
    rename={"host": "Host", "port": "Port", "port_type": "PortType"},
):
    """Where an instance listens. `host` is a host name or IP text, `port_type` lower-case.

    The port is an `int32` to templates, as it is in the original.
    """

    host: str
    port: Annotated[int, "int32"]
    port_type: str


class AppEndpoints(msgspec.Struct, frozen=True):
    """One application version as the controller lists it, already decoded, not yet validated."""

    app_name: str
    app_id: str
    vhost: str
    tags: Tags
    hosts: tuple[Host, ...]


class Leader(
    msgspec.Struct,
    frozen=True,
    rename={"endpoint": "Endpoint", "host": "Host", "port": "Port"},
):
    """The leading controller: its configured URL, and the host and port split from it."""

    endpoint: str = ""
    host: str = ""
    port: int = 0


class Rejection(msgspec.Struct, frozen=True):
    """Something that Drove sent and the gateway left out, and why.

    `subject` is one of "answer", "app", "vhost", "host", "port", "tag"; `value` is printable and
    shortened.
    """

    namespace: str
    app_id: str
    subject: str
    value: str
    reason: str


class Announced(msgspec.Struct, frozen=True):
    """What Drove's events announced since the last accepted response, and so explain.

    `instances` are the (host, port) of instances whose last announced state is not HEALTHY, hosts
    in their spelling. `apps` are the ids of apps in a state that explains why instances leave, and
    that state: `{"web-1": "SCALING_REQUESTED"}`. An event may be listed before the endpoints follow
    it, so both stay for some seconds after a response was accepted. `arrivals` are the names of
    apps of which instances became HEALTHY lately, in any version: a response without instances of
    such an app does not show it as it is.
    """

    instances: frozenset[tuple[str, int]] = frozenset()
    apps: Mapping[str, str] = {}
    arrivals: frozenset[str] = frozenset()


NOTHING_ANNOUNCED = Announced()


class Snapshot(msgspec.Struct, frozen=True):
    """An accepted response of a namespace's leader.

    `settling_until` (monotonic seconds) is 0 unless the leader is new and may not know all its
    instances yet (up to about 90 s, `Drove's controllers`): what it adds is true, what is missing
    may only be unknown to it. Responses with the same time belong to the same term of the leader.
    `announced` says which instances and apps leave for a reason that the leader announced.
    `noticed` is when the change was noticed because of which the response was requested.
    """

    namespace: str
    leader: Leader
    apps: tuple[AppEndpoints, ...]
    rejected: tuple[Rejection, ...] = ()
    settling_until: float = 0.0
    announced: Announced = NOTHING_ANNOUNCED
    noticed: Noticed | None = None

    @property
    def settling(self) -> bool:
        """Whether what is missing in the response may only be unknown to the leader."""
        return self.settling_until > 0


class HostGroup(msgspec.Struct, frozen=True, rename={"hosts": "Hosts", "tags": "Tags"}):
    """The hosts of a vhost that share a value of the routing tag."""

    hosts: tuple[Host, ...]
    tags: Tags


class App(
    msgspec.Struct,
    frozen=True,
    rename={
        "id": "ID",
        "vhost": "Vhost",
        "hosts": "Hosts",
        "tags": "Tags",
        "groups": "Groups",
        "routing_tag_key": "RoutingTagKey",
    },
):
    """The servers of a vhost, merged from every application and namespace that names it."""

    id: str
    vhost: str
    hosts: tuple[Host, ...]
    tags: Tags
    groups: Mapping[str, HostGroup]
    routing_tag_key: str


class Namespace(
    msgspec.Struct,
    frozen=True,
    rename={"leader_vhost": "LeaderVHost", "leader": "Leader", "routing_tag": "RoutingTag"},
):
    """What a template sees of a namespace."""

    leader_vhost: str
    leader: Leader
    routing_tag: str


class Topology(msgspec.Struct, frozen=True, rename={"apps": "Apps", "namespaces": "Namespaces"}):
    """What the proxy should look like: apps by vhost, namespaces by name."""

    apps: Mapping[str, App]
    namespaces: Mapping[str, Namespace]


EMPTY = Topology(apps={}, namespaces={})
