"""The document of `GET /v1/health`: the original's sections, and what this gateway adds. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

import msgspec

from drove_gateway.model.health import HealthSection
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.vocabulary import Rejection
from drove_gateway.status.document import HeldStatus, doc
from drove_gateway.status.document_builder import (
    MOST_HELD,
    MOST_REJECTED,
    held_status,
    optional_utc,
    stored_state,
)
from drove_gateway.status.status import Status


class NamespaceHealth(msgspec.Struct, frozen=True, rename="pascal"):
    """The health of a namespace."""

    namespace: Annotated[str, doc("The namespace.")]
    healthy: Annotated[bool, doc("Whether a controller leads.")]
    message: Annotated[str, doc("How many controllers are healthy, or the last error.")]


class EndpointHealth(msgspec.Struct, frozen=True, rename="pascal"):
    """The health of a configured controller."""

    namespace: Annotated[str, doc("The namespace.")]
    endpoint: Annotated[str, doc("The controller's URL.")]
    healthy: Annotated[bool, doc("Whether this controller leads.")]
    message: Annotated[str, doc("`OK`, or why it is not healthy.")]


class RejectedEntry(msgspec.Struct, frozen=True, rename="pascal"):
    """An entry of a response that was rejected."""

    namespace: Annotated[str, doc("The namespace.")]
    app: Annotated[str, doc("The id of the app.")]
    subject: Annotated[str, doc("`answer`, `app`, `vhost`, `host`, `port` or `tag`.")]
    value: Annotated[str, doc("The rejected value, printable and shortened.")]
    reason: Annotated[str, doc("Why it was rejected.")]


class RejectedEntries(msgspec.Struct, frozen=True, rename="pascal"):
    """How many entries were rejected, and the first of them."""

    count: Annotated[int, doc("How many entries were rejected.")]
    first: Annotated[tuple[RejectedEntry, ...], doc("The first 100 of them.")]


class HeldHealth(msgspec.Struct, frozen=True, rename="pascal"):
    """A withdrawal that the guard holds."""

    namespace: Annotated[str, doc("The namespace whose response omits the servers.")]
    reason: Annotated[str, doc("Why the guard holds the withdrawal.")]
    servers: Annotated[int, doc("How many servers stay in traffic.")]
    vhosts: Annotated[tuple[str, ...], doc("The vhost they belong to.")]
    believed_in_seconds: Annotated[
        float, doc("When the withdrawal is applied if the servers are still missing by then.")
    ]
    known: Annotated[str, doc("What is known of them.")]
    ends: Annotated[str, doc("What ends the hold.")]


class ReconcilerHealth(msgspec.Struct, frozen=True, rename="pascal"):
    """What the reconciler is doing."""

    state: Annotated[str, doc("As `reconciler.state` of `/v1/status`.")]
    error: Annotated[str, doc("Why the last attempt failed; empty if it succeeded.")]
    next_try: Annotated[
        datetime | None, doc("When the next attempt is due; null if none is planned.")
    ]


class StoredStateHealth(msgspec.Struct, frozen=True, rename="pascal"):
    """The state on disk."""

    healthy: Annotated[bool, doc("Whether the state can be written.")]
    message: Annotated[
        str, doc("`OK`, what is wrong, or what happened to a file that could not be used.")
    ]
    last_written: Annotated[
        datetime | None, doc("When this run of the gateway last wrote the state.")
    ]
    served_from_it: Annotated[
        Mapping[str, datetime | None],
        doc(
            "The namespaces that are served from the stored state because no controller has "
            "responded since startup, with the time at which that state was current."
        ),
    ]


class HealthDocument(msgspec.Struct, frozen=True, rename="pascal"):
    """The response of `GET /v1/health`."""

    config: Annotated[
        HealthSection,
        doc(
            "Whether the proxy accepted the last configuration. The message is the proxy's own, "
            "with the line that it names."
        ),
    ]
    template: Annotated[
        HealthSection, doc("Whether the template can be read, parsed and executed.")
    ]
    upstream_updates: Annotated[
        HealthSection, doc("Whether changes over the runtime API succeed.")
    ] = msgspec.field(name="UpstreamUpdatesViaAPI")
    resolver_health: Annotated[HealthSection, doc("Whether host names can be resolved.")]
    namespace_health: Annotated[
        Mapping[str, NamespaceHealth],
        doc(
            "By namespace, how many controllers are healthy. Only the leader is healthy, because "
            "the other controllers refuse to respond."
        ),
    ]
    namespace_endpoints: Annotated[
        Mapping[str, tuple[EndpointHealth, ...]], doc("By namespace, the configured controllers.")
    ]
    rejected: Annotated[
        RejectedEntries,
        doc(
            "Input from Drove that was rejected because a proxy's configuration must not contain "
            "it. This does not make the status code 500: everything else is served."
        ),
    ]
    held: Annotated[
        tuple[HeldHealth, ...],
        doc("Withdrawals that the guard holds: the servers stay in traffic."),
    ]
    reconciler: Annotated[ReconcilerHealth, doc("What the reconciler is doing.")]
    certificates: Annotated[
        HealthSection,
        doc(
            "Whether the files of the directory of certificates can be used, and do not expire "
            "within a week. It never makes the status code 500."
        ),
    ]
    stored_state: Annotated[
        StoredStateHealth, doc("The state on disk. It never makes the status code 500.")
    ]


def health_document(status: Status) -> HealthDocument:
    """The health of the gateway, in sections."""
    proxy, progress, rejected = status.proxy, status.progress, status.built.rejected
    stored = stored_state(status)
    return HealthDocument(
        config=proxy.config,
        template=proxy.template,
        upstream_updates=proxy.upstream_updates,
        resolver_health=proxy.resolver,
        namespace_health={
            view.name: NamespaceHealth(view.name, view.healthy, view.message)
            for view in status.namespaces
        },
        namespace_endpoints={view.name: _endpoints(view) for view in status.namespaces},
        rejected=RejectedEntries(len(rejected), tuple(map(_rejected, rejected[:MOST_REJECTED]))),
        held=tuple(_held(held_status(held)) for held in status.held[:MOST_HELD]),
        reconciler=ReconcilerHealth(progress.state, progress.error, optional_utc(progress.due)),
        certificates=proxy.certificates,
        stored_state=StoredStateHealth(
            stored.healthy, stored.message, stored.last_written, stored.served_from_it
        ),
    )


def _endpoints(view: NamespaceView) -> tuple[EndpointHealth, ...]:
    return tuple(
        EndpointHealth(view.name, endpoint.url, endpoint.healthy, endpoint.message)
        for endpoint in view.endpoints
    )


def _rejected(entry: Rejection) -> RejectedEntry:
    return RejectedEntry(entry.namespace, entry.app_id, entry.subject, entry.value, entry.reason)


def _held(held: HeldStatus) -> HeldHealth:
    return HeldHealth(
        held.namespace,
        held.reason,
        held.servers,
        held.vhosts,
        held.believed_in_seconds,
        held.known,
        held.ends,
    )
