"""Build the documents of `/v1/status` and `/v1/accept` from a status. Pure."""

from collections.abc import Iterable
from datetime import UTC, datetime

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.model.health import HealthSection
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.workers import ReloadPressure
from drove_gateway.status.document import (
    AcceptedWithdrawals,
    Attention,
    EndpointStatus,
    HeldStatus,
    HistoryEntry,
    NamespaceApps,
    NamespaceStatus,
    OldWorkersStatus,
    ProxyStatus,
    ReconcilerStatus,
    RejectedInput,
    SectionStatus,
    StatusDocument,
    StoredStateStatus,
    VhostFailure,
)
from drove_gateway.status.problems import problems
from drove_gateway.status.status import Status
from drove_gateway.status.verdict import verdict
from drove_gateway.topology.namespace_build import AppCounts

MOST_REJECTED = 100
"""How many entries of rejected input a document lists."""

MOST_PROBLEMS = 50
"""How many problems a document lists."""

MOST_HELD = 100
"""How many held withdrawals `/v1/health` lists; `/v1/status` lists all."""


MOST_ADDRESSES = 10
"""How many addresses of a held withdrawal a document lists."""


def status_document(status: Status, desired_hash: str = "") -> StatusDocument:
    """Everything that a person or a dashboard needs to see what the gateway does, and why."""
    apps, sentence = status.built.topology.apps, verdict(status)
    return StatusDocument(
        version=status.about.version,
        commit=status.about.commit,
        date=status.about.date,
        started=utc(status.started),
        healthy=status.healthy,
        desired_hash=desired_hash,
        sentence=sentence.sentence,
        next=sentence.next,
        helps=sentence.helps,
        problems=tuple(
            Attention(each.what, each.cause, each.helps, optional_utc(each.since))
            for each in problems(status)[:MOST_PROBLEMS]
        ),
        vhosts=len(apps),
        servers=sum(len(app.hosts) for app in apps.values()),
        draining=status.proxy.draining,
        reconciler=_reconciler(status),
        proxy=_proxy(status),
        old_workers=_old_workers(status.reloads),
        namespaces=tuple(_namespace(status, view) for view in status.namespaces),
        rejected=RejectedInput(len(status.built.rejected), status.built.rejected[:MOST_REJECTED]),
        held=tuple(map(held_status, status.held)),
        held_vhosts=len(status.held),
        held_servers=sum(held.servers for held in status.held),
        stored_state=stored_state(status),
        last_reload=optional_utc(status.last_reload),
        last_server_update=optional_utc(status.last_server_update),
        history=tuple(map(history_entry, status.history)),
    )


def accepted_withdrawals(held: Iterable[HeldWithdrawal]) -> AcceptedWithdrawals:
    """The withdrawals that an operator accepted."""
    return AcceptedWithdrawals(tuple(map(held_status, held)))


def held_status(held: HeldWithdrawal) -> HeldStatus:
    """A withdrawal that the guard holds."""
    return HeldStatus(
        held.namespace,
        held.reason,
        held.servers,
        held.vhosts,
        round(held.remaining, 1),
        held.alive,
        round(held.missing, 1),
        held.addresses[:MOST_ADDRESSES],
        held.known,
        held.ends,
    )


def stored_state(status: Status) -> StoredStateStatus:
    """The state on disk, and the namespaces that are served from it."""
    stored = status.stored
    disabled = "" if stored.path else "state_persistence_enabled is false"
    return StoredStateStatus(
        healthy=not stored.problem,
        message=stored.problem or stored.set_aside or disabled or "OK",
        last_written=optional_utc(stored.written),
        served_from_it={name: utc(changed) for name, changed in status.restored.items()},
    )


def utc(seconds: float) -> datetime:
    """A Unix time as a datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def optional_utc(seconds: float | None) -> datetime | None:
    """A Unix time as a datetime; None stays None."""
    return None if seconds is None else utc(seconds)


def _reconciler(status: Status) -> ReconcilerStatus:
    progress = status.progress
    return ReconcilerStatus(
        progress.state, progress.error, progress.attempts, optional_utc(progress.due)
    )


def _proxy(status: Status) -> ProxyStatus:
    proxy = status.proxy
    return ProxyStatus(
        config=_section(proxy.config),
        template=_section(proxy.template),
        upstream_updates=_section(proxy.upstream_updates),
        resolver=_section(proxy.resolver),
        notes=proxy.notes,
    )


def _old_workers(reloads: ReloadPressure) -> OldWorkersStatus:
    workers = reloads.workers
    return OldWorkersStatus(
        workers.old, workers.old_memory, round(reloads.interval, 3), reloads.delays
    )


def _section(section: HealthSection) -> SectionStatus:
    return SectionStatus(section.healthy, section.message)


def _namespace(status: Status, view: NamespaceView) -> NamespaceStatus:
    counts = status.built.counts.get(view.name)
    return NamespaceStatus(
        name=view.name,
        healthy=view.healthy,
        message=view.roles,
        leader=view.leader.endpoint if view.leader else None,
        leads_since=optional_utc(view.leads_since),
        endpoints=tuple(
            EndpointStatus(endpoint.url, endpoint.healthy, endpoint.message, endpoint.stands_by)
            for endpoint in view.endpoints
        ),
        last_sync=optional_utc(view.last_sync),
        last_error=view.last_error,
        syncing=view.syncing,
        on_hold=view.held,
        settling=view.settling,
        apps=_apps(counts) if counts else None,
    )


def _apps(counts: AppCounts) -> NamespaceApps:
    return NamespaceApps(
        counts.with_routing_tag, counts.without_routing_tag, counts.ignored_by_realm
    )


def history_entry(applied: ApplyRecord) -> HistoryEntry:
    """An attempt to change the proxy."""
    return HistoryEntry(
        at=utc(applied.at),
        seconds=round(applied.took, 6),
        triggers=applied.triggers,
        reload_reasons=applied.reasons,
        reload_waits=applied.reload_waits,
        steps=applied.steps,
        failed=tuple(VhostFailure(vhost, reason) for vhost, reason in applied.failed),
        left_out=applied.left_out,
        stages={stage: round(seconds, 6) for stage, seconds in applied.stages},
        error=applied.error,
    )
