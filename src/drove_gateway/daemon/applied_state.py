"""What was applied, in memory and on disk: where it is kept, and what a start makes of it."""

from collections.abc import Callable, Mapping
from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.daemon.configuration_texts import configuration_texts
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.about import about
from drove_gateway.model.records import ApplyRecord, StoredState
from drove_gateway.model.vocabulary import Snapshot, Topology
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.proxies.registry import kind_of
from drove_gateway.state.applied_snapshots import applied_snapshots
from drove_gateway.state.document import StoredNamespace
from drove_gateway.state.file import NAME as STATE_FILE
from drove_gateway.state.history_file import NAME as HISTORY_FILE
from drove_gateway.state.history_keeper import HistoryKeeper
from drove_gateway.state.journal import Journal
from drove_gateway.state.keeper import StateKeeper, StateOwner, read_state
from drove_gateway.topology.build import build
from drove_gateway.topology.namespace_build import NamespaceBuild


def state_keeper(
    settings: Settings, publish: Callable[[StoredState], None], log: EventLog
) -> StateKeeper:
    """Return the keeper of the state on disk. It does nothing where no state is to be kept."""
    return StateKeeper(
        _state_file(settings),
        _owner(settings),
        {namespace.name: namespace.drove for namespace in settings.namespaces},
        publish=publish,
        log=log,
    )


def history_keeper(
    settings: Settings,
    environ: Mapping[str, str],
    journal: Journal,
    publish: Callable[[str], None],
    log: EventLog,
) -> HistoryKeeper:
    """Return the keeper of the history, beside the stored state; in memory where none is kept."""
    state = _state_file(settings)
    path = state.with_name(HISTORY_FILE) if state else None
    texts = configuration_texts(settings, environ)
    return HistoryKeeper(path, journal, texts, publish=publish, log=log)


def stored_state(settings: Settings) -> Mapping[str, StoredNamespace]:
    """Read what an earlier run applied, by namespace, without touching the file.

    Raises StateError when it cannot be used.
    """
    path = _state_file(settings)
    stored = read_state(path, _owner(settings)).namespaces if path else ()
    configured = {namespace.name for namespace in settings.namespaces}
    return {
        namespace.snapshot.namespace: namespace
        for namespace in stored
        if namespace.snapshot.namespace in configured
    }


def remembered_topology(
    settings: Settings, remembered: Mapping[str, StoredNamespace]
) -> Topology | None:
    """Return what an earlier run applied, built by the present rules; None if nothing is known."""
    if not remembered:
        return None
    snapshots = {name: namespace.snapshot for name, namespace in remembered.items()}
    return build(snapshots, namespace_rules(settings)).topology


class AppliedState:
    """The snapshots of each namespace as they were applied last; the keeper stores them."""

    def __init__(self, keeper: StateKeeper, remembered: Mapping[str, StoredNamespace]) -> None:
        self._keeper = keeper
        self._snapshots: dict[str, Snapshot] = {
            name: namespace.snapshot for name, namespace in remembered.items()
        }

    def note(self, record: ApplyRecord, applying: Mapping[str, NamespaceBuild]) -> None:
        """Keep what was applied. `applying` is what each namespace contributed to the apply."""
        if record.error or record.reload_waits:
            return
        accepted = {name: part.served_snapshot for name, part in applying.items()}
        failed = {vhost for vhost, _ in record.failed}
        self._snapshots.update(applied_snapshots(accepted, self._snapshots, failed))
        self._keeper.note({name: self._snapshots[name] for name in accepted})


def _state_file(settings: Settings) -> Path | None:
    enabled = settings.state_persistence_enabled
    return Path(settings.state_persistence_dir) / STATE_FILE if enabled else None


def _owner(settings: Settings) -> StateOwner:
    return StateOwner(gateway=about().version, proxy=kind_of(settings).identity)
