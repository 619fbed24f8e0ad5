"""The documents of `GET /v1/status` and `POST /v1/accept`.

The server encodes these types, the commands decode them, and the HTTP reference is generated from
them. A field that a gateway of another version may omit has a default; unknown fields are ignored.
Times are in UTC, durations in seconds.
"""

from datetime import datetime
from typing import Annotated

import msgspec

from drove_gateway.model.plan import Step
from drove_gateway.model.vocabulary import Rejection


def doc(text: str) -> msgspec.Meta:
    """The meaning of a field, for the reference."""
    return msgspec.Meta(description=text)


class SectionStatus(msgspec.Struct, frozen=True):
    """The health of one part of the gateway."""

    healthy: Annotated[bool, doc("Whether this part works.")] = True
    message: Annotated[str, doc("`OK`, or what is wrong.")] = "OK"


class ProxyStatus(msgspec.Struct, frozen=True):
    """The health of everything that concerns the proxy."""

    config: Annotated[SectionStatus, doc("Whether the proxy accepted the last configuration.")] = (
        SectionStatus()
    )
    template: Annotated[
        SectionStatus, doc("Whether the template can be read, parsed and executed.")
    ] = SectionStatus()
    upstream_updates: Annotated[
        SectionStatus, doc("Whether changes over the runtime API succeed.")
    ] = SectionStatus()
    resolver: Annotated[SectionStatus, doc("Whether host names can be resolved.")] = SectionStatus()
    notes: Annotated[
        tuple[str, ...],
        doc("What is worth knowing and not a problem, such as where the file of before is kept."),
    ] = ()


class ReconcilerStatus(msgspec.Struct, frozen=True):
    """What the reconciler is doing."""

    state: Annotated[
        str,
        doc(
            "`waiting` (for a first response), `idle`, `collecting`, `applying`, `pacing` (a "
            "reload waits for its interval), `held back` (between SIGUSR1 and SIGUSR2) or "
            "`retrying`."
        ),
    ] = "unknown"
    error: Annotated[str, doc("Why the last attempt failed; empty if it succeeded.")] = ""
    attempts: Annotated[int, doc("Failed attempts since the last success.")] = 0
    next_try: Annotated[
        datetime | None, doc("When the next attempt is due; null if none is planned.")
    ] = None


class OldWorkersStatus(msgspec.Struct, frozen=True):
    """Worker processes that reloads left behind, which finish their connections."""

    count: Annotated[int, doc("How many there are.")] = 0
    memory_bytes: Annotated[int, doc("The memory that they hold.")] = 0
    reload_interval_seconds: Annotated[
        float, doc("How far apart two reloads are at present, because of them.")
    ] = 0.0
    delay_reloads: Annotated[
        bool, doc("Whether reloads are noticeably further apart than configured.")
    ] = False


class NamespaceApps(msgspec.Struct, frozen=True):
    """How many apps of a namespace are served, and how many are ignored."""

    with_routing_tag: Annotated[int, doc("Served apps that have the routing tag.")] = 0
    without_routing_tag: Annotated[int, doc("Served apps that do not have the routing tag.")] = 0
    ignored_by_realm: Annotated[int, doc("Apps excluded by `realm` and `realm_suffix`.")] = 0


class EndpointStatus(msgspec.Struct, frozen=True):
    """A configured controller."""

    url: Annotated[str, doc("The controller's URL.")]
    healthy: Annotated[bool, doc("Whether this controller leads.")] = False
    message: Annotated[str, doc("`OK`, or why it does not lead.")] = ""
    stands_by: Annotated[bool, doc("Whether it is well and does not lead.")] = False


class NamespaceStatus(msgspec.Struct, frozen=True):
    """A namespace: its controllers, and how current its apps are."""

    name: Annotated[str, doc("The name in the configuration.")]
    healthy: Annotated[bool, doc("Whether a controller leads.")] = False
    message: Annotated[str, doc("Who leads, how many stand by, and how many do not respond.")] = ""
    leader: Annotated[str | None, doc("The URL of the leading controller.")] = None
    leads_since: Annotated[
        datetime | None, doc("When the gateway found that it leads; null if none leads.")
    ] = None
    endpoints: Annotated[tuple[EndpointStatus, ...], doc("The configured controllers.")] = ()
    last_sync: Annotated[
        datetime | None, doc("When its endpoints were last fetched and accepted.")
    ] = None
    last_error: Annotated[str, doc("Why the last poll failed; empty if it succeeded.")] = ""
    syncing: Annotated[
        bool, doc("Whether a change is known whose endpoints are not accepted yet.")
    ] = False
    on_hold: Annotated[bool, doc("Whether the guard holds a withdrawal of this namespace.")] = False
    settling: Annotated[
        bool, doc("Whether the leader is new and may not know all instances yet.")
    ] = False
    apps: Annotated[
        NamespaceApps | None, doc("How many apps are served; null before the first response.")
    ] = None


class RejectedInput(msgspec.Struct, frozen=True):
    """Input from Drove that was rejected because a proxy's configuration must not contain it."""

    count: Annotated[int, doc("How many entries were rejected.")] = 0
    first: Annotated[
        tuple[Rejection, ...],
        doc(
            "The first 100 of them, each with `namespace`, `app_id`, `subject` (`answer`, `app`, "
            "`vhost`, `host`, `port` or `tag`), `value` and `reason`."
        ),
    ] = ()


class HeldStatus(msgspec.Struct, frozen=True):
    """Servers that are missing from a response, but stay in traffic because of the guard."""

    namespace: Annotated[str, doc("The namespace whose response omits the servers.")]
    reason: Annotated[str, doc("Why the guard holds the withdrawal.")]
    servers: Annotated[int, doc("How many servers stay in traffic.")]
    vhosts: Annotated[tuple[str, ...], doc("The vhost they belong to.")] = ()
    believed_in_seconds: Annotated[
        float, doc("When the withdrawal is applied if the servers are still missing by then.")
    ] = 0.0
    alive: Annotated[int, doc("How many of them accepted a connection.")] = 0
    missing_seconds: Annotated[float, doc("How long ago they were last seen listed.")] = 0.0
    addresses: Annotated[tuple[str, ...], doc("The first ten of them.")] = ()
    known: Annotated[str, doc("What is known of them, for people.")] = ""
    ends: Annotated[str, doc("What ends the hold, for people.")] = ""


class StoredStateStatus(msgspec.Struct, frozen=True):
    """The state on disk."""

    healthy: Annotated[bool, doc("Whether the state can be written.")] = True
    message: Annotated[
        str, doc("`OK`, what is wrong, or what happened to a file that could not be used.")
    ] = "OK"
    last_written: Annotated[
        datetime | None, doc("When this run of the gateway last wrote the state.")
    ] = None
    served_from_it: Annotated[
        dict[str, datetime | None],
        doc(
            "The namespaces that are served from the stored state because no controller has "
            "responded since startup, with the time at which that state was current."
        ),
    ] = {}


class VhostFailure(msgspec.Struct, frozen=True):
    """A vhost that could not be brought up to date."""

    vhost: Annotated[str, doc("The vhost.")]
    reason: Annotated[str, doc("Why the change failed.")] = ""


class HistoryEntry(msgspec.Struct, frozen=True):
    """An attempt to change the proxy."""

    at: Annotated[datetime, doc("When it began.")]
    seconds: Annotated[float, doc("How long it took.")] = 0.0
    triggers: Annotated[tuple[str, ...], doc("The events that started it.")] = ()
    reload_reasons: Annotated[
        tuple[str, ...], doc("Why a reload was needed; empty if none was.")
    ] = ()
    reload_waits: Annotated[
        bool, doc("Whether only servers were changed, and the reload follows later.")
    ] = False
    steps: Annotated[
        tuple[Step, ...],
        doc(
            "The steps, each with `action`, `subject` and `reason`. For a very large change, only "
            "the first 200 are kept."
        ),
    ] = ()
    failed: Annotated[
        tuple[VhostFailure, ...],
        doc("The vhosts that could not be brought up to date; the others were."),
    ] = ()
    left_out: Annotated[int, doc("How many further steps and failures there were.")] = 0
    stages: Annotated[
        dict[str, float],
        doc(
            "The duration of each stage: `noticed` (from the change in Drove to the poll that "
            "showed it, where the clocks allow to say), `fetched`, `planned`, then those of the "
            "apply: `servers`, `render`, `check`, `reload`, …"
        ),
    ] = {}
    error: Annotated[str, doc("Why the attempt failed; empty if it succeeded.")] = ""


class Attention(msgspec.Struct, frozen=True):
    """Something that is not as it should be."""

    what: Annotated[str, doc("What is wrong.")]
    cause: Annotated[str, doc("Why, in the words of the proxy or the controller.")]
    helps: Annotated[str, doc("A command to type, or what to change.")] = ""
    since: Annotated[
        datetime | None, doc("When the gateway noticed it; null within the first second.")
    ] = None


class StatusDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The response of `GET /v1/status`."""

    version: Annotated[str, doc("The version of the gateway.")]
    commit: Annotated[str, doc("The commit it was built from.")] = "unknown"
    date: Annotated[str, doc("The date of that commit.")] = "unknown"
    started: Annotated[datetime, doc("When the gateway started.")]
    healthy: Annotated[
        bool, doc("As in `/v1/health`; the status code of this route is always 200.")
    ]
    sentence: Annotated[
        str, doc("Whether every vhost is served as Drove lists it, in the words of the page.")
    ] = ""
    next: Annotated[str, doc("What the gateway does about it next; may be empty.")] = ""
    helps: Annotated[str, doc("What to type or to change; empty if nothing is wrong.")] = ""
    problems: Annotated[tuple[Attention, ...], doc("The first 50 problems, the worst first.")] = ()
    desired_hash: Annotated[
        str,
        doc(
            "The hash of the desired state: gateways that should serve the same vhosts, servers "
            "and tags have the same."
        ),
    ] = ""
    vhosts: Annotated[int, doc("How many vhosts should be served.")] = 0
    servers: Annotated[int, doc("How many servers all vhosts together should have.")] = 0
    draining: Annotated[
        int | None,
        doc("How many removed servers still finish requests, if a runtime API drains them."),
    ] = None
    reconciler: Annotated[ReconcilerStatus, doc("What the reconciler is doing.")] = (
        ReconcilerStatus()
    )
    proxy: Annotated[ProxyStatus, doc("The health of everything about the proxy.")] = ProxyStatus()
    old_workers: Annotated[
        OldWorkersStatus, doc("The old worker processes of the proxy, and what they delay.")
    ] = OldWorkersStatus()
    namespaces: Annotated[
        tuple[NamespaceStatus, ...], doc("The namespaces, in the order of the configuration.")
    ] = ()
    rejected: Annotated[RejectedInput, doc("Input from Drove that was rejected.")] = RejectedInput()
    held: Annotated[
        tuple[HeldStatus, ...],
        doc("The withdrawals that the guard holds, one for each vhost."),
    ] = ()
    held_vhosts: Annotated[int, doc("How many vhosts have held servers.")] = 0
    held_servers: Annotated[int, doc("How many servers the guard holds.")] = 0
    stored_state: Annotated[StoredStateStatus, doc("The state on disk.")] = StoredStateStatus()
    last_reload: Annotated[datetime | None, doc("When the proxy was last reloaded.")] = None
    last_server_update: Annotated[
        datetime | None, doc("When servers were last changed over the runtime API.")
    ] = None
    history: Annotated[
        tuple[HistoryEntry, ...],
        doc("The last 100 attempts to change the proxy, newest first."),
    ] = ()


class AcceptedWithdrawals(msgspec.Struct, frozen=True):
    """The response of `POST /v1/accept`."""

    accepted: Annotated[tuple[HeldStatus, ...], doc("The withdrawals that were held until now.")]
