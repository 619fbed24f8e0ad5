"""The document of `GET /v1/config`: what is served, and from what. Pure.

The first five keys are the original's.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.vocabulary import App, Leader
from drove_gateway.status.document import doc
from drove_gateway.status.document_builder import utc
from drove_gateway.status.status import Status

NEVER = datetime(1, 1, 1, tzinfo=UTC)
"""Go's zero time, which the original shows for an event that has not happened yet."""


class KnownVhosts(msgspec.Struct, frozen=True, rename="pascal"):
    """The vhosts in the proxy."""

    vhosts: Annotated[Mapping[str, Literal[True]], doc("Each vhost, with `true`.")]


class StaticData(msgspec.Struct, frozen=True, rename="pascal"):
    """What does not depend on Drove."""

    xproxy: Annotated[str, doc("The name of this load balancer.")]


class NamespaceConfig(msgspec.Struct, frozen=True, rename="pascal"):
    """A namespace, and the apps that it contributes."""

    leader: Annotated[Leader, doc("The leading controller, with `Endpoint`, `Host` and `Port`.")]
    leader_vhost: Annotated[str, doc("`leader_vhost` of the configuration.")] = msgspec.field(
        name="LeaderVHost"
    )
    routing_tag: Annotated[str, doc("`routing_tag` of the configuration.")]
    apps: Annotated[Mapping[str, App], doc("The apps of this namespace alone, by vhost.")]
    last_sync_timestamp: Annotated[
        datetime, doc("When its endpoints were last fetched and accepted.")
    ]


class ConfigDocument(msgspec.Struct, frozen=True, rename="pascal"):
    """The response of `GET /v1/config`."""

    last_known_vhosts: Annotated[KnownVhosts, doc("The vhosts that were applied.")]
    last_known_backends: Annotated[
        Mapping[str, Literal[True]],
        doc("Each backend of HAProxy, or upstream of NGINX, with `true`."),
    ]
    last_reload_timestamp: Annotated[
        datetime, doc("When the proxy was last reloaded; `0001-01-01T00:00:00Z` for never.")
    ]
    last_upstream_update: Annotated[
        datetime, doc("When servers were last changed over the runtime API; the same for never.")
    ] = msgspec.field(name="LastUpstreamAPIUpdateTimestamp")
    static_data: Annotated[StaticData, doc("What does not depend on Drove.")]
    apps: Annotated[
        Mapping[str, App],
        doc("By vhost, what templates see of it, merged from all apps and namespaces."),
    ]
    namespaces: Annotated[Mapping[str, NamespaceConfig], doc("The namespaces by name.")]
    settings: Annotated[
        Mapping[str, Any],
        doc("Every key of the configuration with the value in use; secrets are shown as `***`."),
    ]


def config_document(
    status: Status, backend_names: Callable[[App], Iterable[str]]
) -> ConfigDocument:
    """What is served. `backend_names` returns the names that the proxy has for a vhost."""
    applied = sorted(status.applied.apps.items())
    return ConfigDocument(
        last_known_vhosts=KnownVhosts(dict.fromkeys((vhost for vhost, _ in applied), True)),
        last_known_backends=dict.fromkeys(
            (name for _, app in applied for name in backend_names(app)), True
        ),
        last_reload_timestamp=_or_never(status.last_reload),
        last_upstream_update=_or_never(status.last_server_update),
        static_data=StaticData(status.xproxy),
        apps=dict(status.built.topology.apps.items()),
        namespaces={view.name: _namespace(status, view) for view in status.namespaces},
        settings=status.config,
    )


def _namespace(status: Status, view: NamespaceView) -> NamespaceConfig:
    part = status.built.parts.get(view.name)
    shown = status.built.topology.namespaces.get(view.name)
    return NamespaceConfig(
        leader=view.leader or Leader(),
        leader_vhost=shown.leader_vhost if shown else "",
        routing_tag=shown.routing_tag if shown else "",
        apps=dict(part.apps.items()) if part else {},
        last_sync_timestamp=_or_never(view.last_sync),
    )


def _or_never(seconds: float | None) -> datetime:
    return NEVER if seconds is None else utc(seconds)
