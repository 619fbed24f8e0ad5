"""The status of the gateway: a frozen value that every view is made from.

Each `with_…` function returns a new `Status`, which shares with the old status everything that did
not change. `StatusPublisher` holds the latest.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.model.about import About
from drove_gateway.model.health import ProxyHealth
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.plan import ApplyStage
from drove_gateway.model.records import ApplyRecord, Progress, StoredState
from drove_gateway.model.versioned_map import versioned
from drove_gateway.model.vocabulary import EMPTY, Topology
from drove_gateway.model.workers import ReloadPressure
from drove_gateway.topology.build import TopologyBuild

HISTORY = 100
MOST_STEPS = 200

_NOTHING_BUILT = TopologyBuild(topology=EMPTY, rejected=(), counts={}, parts={})


class Status(msgspec.Struct, frozen=True):
    """Everything that can be seen from outside. Times are Unix seconds, None for never.

    `config` has the settings without their secrets, `xproxy` the name in use.
    `namespaces` are in the order of the configuration. `built` is what should be served, `applied`
    what was applied last (for a vhost that failed, its state before), `applying` what is being
    applied. `history` has the newest entry first.
    `stored` is the state on disk. `restored` has the namespaces that are served from it because no
    controller has responded yet, with the time at which that state was current; `absent` those of
    which nothing is known either, so that they are no longer waited for. `reloads` says how far
    apart reloads are because of old workers, `history_problem` why the history cannot be stored.
    `since` has the time at which each problem was noticed, by its key.
    """

    about: About
    started: float
    config: Mapping[str, Any]
    xproxy: str
    namespaces: tuple[NamespaceView, ...] = ()
    proxy: ProxyHealth = ProxyHealth()
    progress: Progress = Progress()
    built: TopologyBuild = _NOTHING_BUILT
    applying: TopologyBuild = _NOTHING_BUILT
    applied: Topology = EMPTY
    held: tuple[HeldWithdrawal, ...] = ()
    last_reload: float | None = None
    last_server_update: float | None = None
    history: tuple[ApplyRecord, ...] = ()
    stored: StoredState = StoredState()
    restored: Mapping[str, float] = {}
    absent: frozenset[str] = frozenset()
    reloads: ReloadPressure = ReloadPressure()
    history_problem: str = ""
    since: Mapping[str, float] = {}

    @property
    def healthy(self) -> bool:
        """The original's rule: all four sections, and a leading controller in each namespace.

        A fault of some vhosts is theirs: it does not count, as long as others are served.
        """
        proxy = self.proxy
        sections = (proxy.config, proxy.template, proxy.upstream_updates, proxy.resolver)
        return all(section.works for section in sections) and all(
            namespace.healthy for namespace in self.namespaces
        )


def with_settings(
    status: Status, config: Mapping[str, Any], xproxy: str, namespaces: Iterable[NamespaceView]
) -> Status:
    """Set the configuration. A namespace with the same controllers as before keeps its view."""
    known = {_watched(view): view for view in status.namespaces}
    return msgspec.structs.replace(
        status,
        config=config,
        xproxy=xproxy,
        namespaces=tuple(known.get(_watched(view), view) for view in namespaces),
    )


def with_namespace(status: Status, view: NamespaceView) -> Status:
    """Set the view of a configured namespace; an unknown namespace is ignored."""
    namespaces = tuple(view if view.name == each.name else each for each in status.namespaces)
    return msgspec.structs.replace(status, namespaces=namespaces)


def with_built(
    status: Status, built: TopologyBuild, held: tuple[HeldWithdrawal, ...] = ()
) -> Status:
    """Set the topology that should be served, and the withdrawals that are held."""
    return msgspec.structs.replace(status, built=built, held=held)


def with_proxy(status: Status, proxy: ProxyHealth) -> Status:
    """Set the health that the proxy's driver reports."""
    return msgspec.structs.replace(status, proxy=proxy)


def with_progress(status: Status, progress: Progress) -> Status:
    """Set the progress of the reconciler.

    What it began to apply counts as applied once it is idle: in "pacing" and "retrying", a part is
    still missing.
    """
    applying = status.built if progress.state == "applying" else status.applying
    return msgspec.structs.replace(
        status,
        progress=progress,
        applying=applying,
        applied=applying.topology if progress.state == "idle" else status.applied,
    )


def with_record(status: Status, record: ApplyRecord) -> Status:
    """Add an attempt to change the proxy; the history keeps the newest `HISTORY` of them."""
    end = record.at + record.took
    served = any(stage is ApplyStage.SERVERS for stage, _ in record.seconds)
    complete = not record.error and not record.reload_waits
    return msgspec.structs.replace(
        status,
        applied=_without_failed(status, record) if complete else status.applied,
        last_reload=end if record.reloaded else status.last_reload,
        last_server_update=end if served else status.last_server_update,
        history=(_bounded(record), *status.history[: HISTORY - 1]),
    )


def with_stored(status: Status, stored: StoredState) -> Status:
    """Set the state of the file on disk."""
    return msgspec.structs.replace(status, stored=stored)


def with_restored(status: Status, restored: Mapping[str, float]) -> Status:
    """Set the namespaces that are served from the stored state, with the time it is from."""
    return msgspec.structs.replace(status, restored=restored)


def with_absent(status: Status, absent: frozenset[str]) -> Status:
    """Set the namespaces that did not respond at the start, and of which nothing is known."""
    return msgspec.structs.replace(status, absent=absent)


def with_reloads(status: Status, reloads: ReloadPressure) -> Status:
    """Set the proxy's workers, and how far apart its reloads are because of them."""
    return msgspec.structs.replace(status, reloads=reloads)


def with_history_problem(status: Status, problem: str) -> Status:
    """Set why the history on disk cannot be written; an empty text when it can."""
    return msgspec.structs.replace(status, history_problem=problem)


def with_problems(status: Status, keys: Iterable[str], now: float) -> Status:
    """Set the keys of the present problems; each keeps the time at which it was noticed."""
    since = {key: status.since.get(key, now) for key in keys}
    return status if since == status.since else msgspec.structs.replace(status, since=since)


def _without_failed(status: Status, record: ApplyRecord) -> Topology:
    """What was applied: vhosts that failed are as they were before."""
    failed = {vhost for vhost, _ in record.failed}
    if not failed:
        return status.applying.topology
    before, apps = status.applied.apps, versioned(status.applying.topology.apps)
    return msgspec.structs.replace(
        status.applying.topology,
        apps=apps.updated(
            {vhost: before[vhost] for vhost in failed if vhost in before},
            without=[vhost for vhost in failed if vhost not in before],
        ),
    )


def _watched(view: NamespaceView) -> tuple[str, ...]:
    return (view.name, *(endpoint.url for endpoint in view.endpoints))


def _bounded(record: ApplyRecord) -> ApplyRecord:
    left_out = max(0, len(record.steps) - MOST_STEPS) + max(0, len(record.failed) - MOST_STEPS)
    if not left_out:
        return record
    return msgspec.structs.replace(
        record,
        steps=record.steps[:MOST_STEPS],
        failed=record.failed[:MOST_STEPS],
        left_out=left_out,
    )
