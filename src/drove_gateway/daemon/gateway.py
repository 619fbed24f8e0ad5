"""A gateway with one configuration: its parts put together, and the tasks that keep them going."""

import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from drove_gateway.acceptance.acceptance import AcceptRequest
from drove_gateway.acceptance.adoption import adopted
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.admin.actions import Actions
from drove_gateway.admin.server import serve
from drove_gateway.admin.sources import Sources
from drove_gateway.config import Settings
from drove_gateway.config.redact import public
from drove_gateway.daemon import assembly, file_watch
from drove_gateway.daemon.applied_state import (
    AppliedState,
    history_keeper,
    remembered_topology,
    state_keeper,
)
from drove_gateway.daemon.configuration_texts import (
    health_without_secrets,
    known_secrets,
    record_without_secrets,
)
from drove_gateway.daemon.drove_input import DroveInput
from drove_gateway.daemon.outside import this_machine
from drove_gateway.daemon.problem_watch import watch_problems
from drove_gateway.daemon.status_reports import StatusReports
from drove_gateway.daemon.tasks import running_tasks, unless
from drove_gateway.daemon.worker_watch import watch_workers
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import about
from drove_gateway.model.health import ProxyHealth
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.proxy import Proxy, ServerState
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.vocabulary import EMPTY, App, Snapshot
from drove_gateway.proxies.kind import ProxyKind
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.proxies.outside import Outside
from drove_gateway.proxies.registry import kind_of
from drove_gateway.reconciler.clock import SystemClock
from drove_gateway.reconciler.reconciler import Reconciler
from drove_gateway.state.journal import Journal
from drove_gateway.state.keeper import StateKeeper
from drove_gateway.status import status
from drove_gateway.status.publisher import StatusPublisher
from drove_gateway.status.status import Status

# No step has so many commands, not even while the check is repeated to find a refused vhost.
_MOST_COMMANDS_IN_A_STEP = 20
_MOST_TEXTS_HIDDEN = 4096


def first_status(settings: Settings) -> Status:
    """Return the status before anything happened."""
    return Status(
        about=about(),
        started=time.time(),
        config=public(settings),
        xproxy=_xproxy(settings),
        namespaces=_unseen(settings),
    )


class _RunningParts(NamedTuple):
    """The parts that take requests while the gateway runs."""

    drove: DroveInput
    proxy: Proxy
    reconciler: Reconciler

    def reconcile(self, trigger: str) -> None:
        """Read the proxy again, and apply."""
        self.proxy.distrust(trigger)
        self.reconciler.wake(trigger)


class Gateway:
    """Everything that runs with one configuration; `known` and `journal` carry snapshots
    and the history to the next one."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        log: EventLog,
        metrics: Metrics,
        publisher: StatusPublisher,
        known: dict[str, Snapshot],
        journal: Journal,
    ) -> None:
        self._settings = settings
        self._environ = environ
        # Errors repeat until they are repaired.
        self._hide = lru_cache(_MOST_TEXTS_HIDDEN)(known_secrets(settings, environ).hide)
        self._log = log = log.hiding(self._hide)
        self._metrics = metrics
        self._publisher = publisher
        self._known = known
        self._journal = journal
        self._history = history_keeper(
            settings,
            environ,
            journal,
            lambda problem: publisher.publish(status.with_history_problem, problem),
            log,
        )
        self._reports = StatusReports(publisher, metrics, log, self._history.happened)
        self._parts: _RunningParts | None = None
        self._template_release = 0

    def reread(self, trigger: str) -> None:
        """Use the template as it is on disk, and `refresh`."""
        self._template_release += 1
        self.refresh(trigger)

    def refresh(self, trigger: str) -> bool:
        """Ask every leader again, read the proxy again, and apply; False when not running yet."""
        if self._parts is None:
            return False
        self._parts.drove.refresh()
        self._parts.reconcile(trigger)
        return True

    def hold_back(self, seconds: float) -> None:
        """Begin nothing on the proxy for `seconds`, or until `resume`."""
        if self._parts:
            self._parts.reconciler.hold_back(seconds)

    def resume(self, trigger: str) -> None:
        """The proxy was restarted: read it again, and bring it up to date."""
        if self._parts:
            self._parts.reconciler.release()
            self._parts.reconcile(trigger)

    def alive(self) -> bool:
        """Return whether the step in progress, if any, may still end by itself."""
        longest = _MOST_COMMANDS_IN_A_STEP * self._settings.command_timeout_sec
        return self._parts is None or self._parts.reconciler.busy_seconds() < longest

    @asynccontextmanager
    async def running(self, ending: Callable[[], Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
        """Run the gateway. At the end the step in progress is finished, and no other begins.

        The HTTP API responds before the proxy has been read, and as long as the block runs. Raises
        ConfigError when it cannot listen or a CA file cannot be used, StartInterrupted when
        `ending` completes during the start.
        """
        self._show_settings()
        keeper = state_keeper(self._settings, self._reports.stored, self._log)
        async with AsyncExitStack() as stack:
            await self._listen(stack)
            parts = await unless(ending(), self._started(keeper, stack))
            kind = kind_of(self._settings)
            tasks = running_tasks(
                parts.reconciler,
                (keeper, self._history),
                (
                    parts.proxy.run(parts.reconciler.wake),
                    _watch_files(kind, parts.reconciler),
                    watch_workers(
                        kind.workers,
                        self._reports.reloaded,
                        parts.reconciler.observe,
                        self._reports.reloads,
                        self._log,
                    ),
                    watch_problems(self._publisher, self._proxy_health, time.time),
                    *parts.drove.tasks(),
                ),
                log=self._log,
            )
            async with tasks:
                self._parts = parts
                try:
                    yield
                finally:
                    self._parts = None

    async def _started(self, keeper: StateKeeper, stack: AsyncExitStack) -> _RunningParts:
        """Read the stored state and the proxy, and put the parts together."""
        settings, kind, outside = self._settings, kind_of(self._settings), self._outside()
        remembered = await keeper.load()
        await self._history.load()
        served = EMPTY if remembered or self._known else await kind.served(outside)
        proxy = await kind.driver(outside, stack, remembered_topology(settings, remembered))
        reconciler = self._reconciler(proxy, AppliedState(keeper, remembered))
        drove = DroveInput(
            settings,
            reconciler.desire,
            known=self._known,
            remembered=remembered,
            adopted=adopted(served, namespace_rules(settings)),
            lookup=outside.lookup,
            reports=self._reports,
            metrics=self._metrics,
            log=self._log,
        )
        await stack.enter_async_context(drove.open())
        return _RunningParts(drove, proxy, reconciler)

    def _outside(self) -> Outside:
        return msgspec.structs.replace(
            this_machine(self._environ, self._metrics, self._log),
            replaced=self._history.replaced,
            template_release=lambda: self._template_release,
        )

    def _show_settings(self) -> None:
        settings = self._settings
        self._metrics.configured(namespace.name for namespace in settings.namespaces)
        self._publisher.publish(
            status.with_settings, public(settings), _xproxy(settings), _unseen(settings)
        )

    def _reconciler(self, proxy: Proxy, applied: AppliedState) -> Reconciler:
        def record(record: ApplyRecord) -> None:
            record = record_without_secrets(record, self._hide)
            self._reports.record(record)
            self._history.note(record)
            applied.note(record, self._publisher.current.applying.parts)

        def progress(progress: Progress) -> None:
            error = self._hide(progress.error)
            self._reports.progress(msgspec.structs.replace(progress, error=error))

        return Reconciler(
            proxy,
            pace=assembly.apply_pace(self._settings),
            clock=SystemClock(time.monotonic, time.time, random.random),
            log=self._log,
            metrics=self._metrics,
            publish=progress,
            record=record,
        )

    async def _listen(self, stack: AsyncExitStack) -> None:
        settings = self._settings
        port = await stack.enter_async_context(
            serve(
                settings,
                sources=Sources(
                    lambda: status.with_proxy(self._publisher.current, self._proxy_health()),
                    self._metrics,
                    kind_of(settings).backends,
                    self._servers,
                    self._journal,
                ),
                actions=Actions(reload=lambda: self.refresh("/v1/reload"), accept=self._accept),
                log=self._log,
            )
        )
        self._log.write(LogEvent.HTTP_API_LISTENS, address=settings.address, port=port)

    def _proxy_health(self) -> ProxyHealth:
        if self._parts is None:
            return ProxyHealth()
        return health_without_secrets(self._parts.proxy.health(), self._hide)

    async def _servers(self, app: App) -> tuple[ServerState, ...] | None:
        return await self._parts.proxy.servers(app) if self._parts else None

    async def _accept(self, request: AcceptRequest) -> tuple[HeldWithdrawal, ...]:
        return await self._parts.drove.acceptance.accept_held(request) if self._parts else ()


async def _watch_files(kind: ProxyKind, reconciler: Reconciler) -> None:
    """Demand a new configuration whenever a file changed that it is made of."""
    await file_watch.watch(
        kind.watched_files, lambda file: reconciler.demand(f"{file.name} changed")
    )


def _xproxy(settings: Settings) -> str:
    return settings.xproxy or socket.gethostname()


def _unseen(settings: Settings) -> tuple[NamespaceView, ...]:
    return tuple(
        NamespaceView(namespace.name, tuple(EndpointView(url) for url in namespace.drove))
        for namespace in settings.namespaces
    )
