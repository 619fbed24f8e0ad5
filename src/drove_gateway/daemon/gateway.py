"""A gateway with one configuration: its parts put together, and the tasks that keep them going."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from structlog.typing import FilteringBoundLogger

from drove_gateway.admin.routes import Actions
from drove_gateway.admin.server import serve
from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.config.redact import public
from drove_gateway.daemon import assembly, drivers
from drove_gateway.daemon.startup import Startup
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace
from drove_gateway.metrics import Metrics
from drove_gateway.model.about import about
from drove_gateway.model.namespace_view import EndpointView, NamespaceView
from drove_gateway.model.proxy import Proxy
from drove_gateway.model.records import ApplyRecord, StoredState
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.reconciler.clock import SystemClock
from drove_gateway.reconciler.reconciler import Reconciler
from drove_gateway.state.applied_snapshots import applied_snapshots
from drove_gateway.state.document import StoredNamespace
from drove_gateway.state.keeper import StateKeeper
from drove_gateway.status import status
from drove_gateway.status.publisher import StatusPublisher
from drove_gateway.status.status import Status
from drove_gateway.topology.acceptance import Acceptance
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.guard import HeldWithdrawal

_TEMPLATE_LOOK_SECONDS = 1.0
# A step has a check and a reload, each with its own time limit.
_COMMANDS_TO_WAIT_FOR = 2
# No step has so many commands, not even while a vhost is looked for that the check refuses.
_MOST_COMMANDS_IN_A_STEP = 20


def first_status(settings: Settings) -> Status:
    """What can be said before anything happened."""
    return Status(
        about=about(),
        started=time.time(),
        config=public(settings),
        xproxy=_xproxy(settings),
        namespaces=_unseen(settings),
    )


class _AtWork(NamedTuple):
    """The parts that can be told something while the gateway runs."""

    watches: list[NamespaceWatch]
    proxy: Proxy
    reconciler: Reconciler


class Gateway:
    """Everything that runs with one configuration; `known` carries snapshots to the next one."""

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        log: FilteringBoundLogger,
        metrics: Metrics,
        publisher: StatusPublisher,
        known: dict[str, Snapshot],
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._log = log
        self._metrics = metrics
        self._publisher = publisher
        self._known = known
        self._at_work: _AtWork | None = None

    def refresh(self, trigger: str) -> bool:
        """Ask every leader again, read the proxy again, and apply; False when not at work yet."""
        if self._at_work is None:
            return False
        for watch in self._at_work.watches:
            watch.request_refresh()
        self._reconcile_all(self._at_work, trigger)
        return True

    def hold_back(self, seconds: float) -> None:
        """Begin nothing on the proxy for `seconds`, or until `resume`."""
        if self._at_work:
            self._at_work.reconciler.hold_back(seconds)

    def resume(self, trigger: str) -> None:
        """The proxy was restarted: believe nothing of it, and bring it up to date."""
        if self._at_work:
            self._at_work.reconciler.release()
            self._reconcile_all(self._at_work, trigger)

    def alive(self) -> bool:
        """Whether the step under way, if any, may still end by itself."""
        longest = _MOST_COMMANDS_IN_A_STEP * self._settings.command_timeout_sec
        return self._at_work is None or self._at_work.reconciler.busy_seconds() < longest

    @staticmethod
    def _reconcile_all(at_work: _AtWork, trigger: str) -> None:
        at_work.proxy.distrust(trigger)
        at_work.reconciler.wake(trigger)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The gateway at work. At its end the step under way is finished, and nothing begun.

        Raises ConfigError when the HTTP API cannot listen or a CA file cannot be used.
        """
        settings = self._settings
        self._metrics.configured(namespace.name for namespace in settings.namespaces)
        self._publisher.publish(
            status.with_settings, public(settings), _xproxy(settings), _unseen(settings)
        )
        template = await drivers.template(settings, self._environ)
        keeper = assembly.keeper(settings, self._publish_stored, self._log)
        remembered = await keeper.load()
        async with AsyncExitStack() as stack:
            proxy = await drivers.proxy(
                settings,
                template,
                _xproxy(settings),
                assembly.remembered_topology(settings, remembered),
                self._metrics,
                self._log,
                stack,
            )
            reconciler = self._reconciler(proxy, keeper, remembered)
            intake = self._intake(reconciler)
            startup = self._startup(intake, remembered)
            watches = [
                await self._watch(namespace, intake, startup, stack)
                for namespace in settings.namespaces
            ]
            self._at_work = _AtWork(watches, proxy, reconciler)
            await self._listen(proxy, intake, stack)
            beside = [
                proxy.run(reconciler.wake),
                self._look_at(template, reconciler),
                *(watch.run() for watch in watches),
                *(startup.run(watch.name, watch.request_refresh) for watch in watches),
            ]
            async with asyncio.TaskGroup() as group:
                work = group.create_task(reconciler.run())
                keeping = group.create_task(keeper.run())
                tasks = [group.create_task(one) for one in beside]
                try:
                    yield
                finally:
                    self._at_work = None
                    await self._finish(reconciler, work)
                    for task in tasks:
                        task.cancel()
                    keeper.stop()
                    await asyncio.wait((keeping,))

    async def _finish(self, reconciler: Reconciler, work: asyncio.Task[None]) -> None:
        """Let the step under way end, within a bound."""
        seconds = _COMMANDS_TO_WAIT_FOR * self._settings.command_timeout_sec
        reconciler.stop()
        await asyncio.wait((work,), timeout=seconds)
        if not work.done():
            self._log.warning(
                "the step under way does not end, it is left; the next start completes it",
                waited_sec=seconds,
            )
            work.cancel()

    def _reconciler(
        self, proxy: Proxy, keeper: StateKeeper, remembered: Mapping[str, StoredNamespace]
    ) -> Reconciler:
        kept = {name: one.snapshot for name, one in remembered.items()}

        def record(record: ApplyRecord) -> None:
            self._publisher.publish(status.with_record, record)
            if not record.error and not record.reload_waits:
                parts = self._publisher.current.applying.parts
                accepted = {name: part.snapshot for name, part in parts.items()}
                failed = {vhost for vhost, _ in record.failed}
                kept.update(applied_snapshots(accepted, kept, failed))
                keeper.note({name: kept[name] for name in accepted})

        return Reconciler(
            proxy,
            pace=assembly.pace(self._settings),
            clock=SystemClock(time.monotonic, time.time, random.random),
            log=self._log,
            metrics=self._metrics,
            publish=lambda progress: self._publisher.publish(status.with_progress, progress),
            record=record,
        )

    def _intake(self, reconciler: Reconciler) -> Acceptance:
        intake = Acceptance(
            assembly.namespace_rules(self._settings),
            assembly.limits(self._settings),
            reconciler.desire,
            clock=time.monotonic,
            log=self._log,
            published=self._publish_built,
        )
        for name in (namespace.name for namespace in self._settings.namespaces):
            if name in self._known:
                intake.restore(self._known[name])
                intake.go_on(name, "the configuration changed")
        return intake

    def _startup(self, intake: Acceptance, remembered: Mapping[str, StoredNamespace]) -> Startup:
        startup = Startup(
            intake,
            remembered,
            assembly.patience(self._settings),
            publish=lambda restored: self._publisher.publish(status.with_restored, restored),
            log=self._log,
        )
        for namespace in self._settings.namespaces:
            if namespace.name not in self._known:
                startup.begin(namespace.name, namespace.drove)
        return startup

    async def _watch(
        self,
        namespace: NamespaceSettings,
        intake: Acceptance,
        startup: Startup,
        stack: AsyncExitStack,
    ) -> NamespaceWatch:
        settings = self._settings

        def accept(answer: Snapshot) -> bool:
            startup.answered(answer.namespace)
            taken, self._known[answer.namespace] = intake.take(answer)
            return taken

        return NamespaceWatch(
            namespace.name,
            await stack.enter_async_context(assembly.controllers(settings, namespace)),
            pace=PollPace(
                ping=settings.ping_interval_sec,
                events=settings.event_refresh_interval_sec,
                full_refresh=settings.full_refresh_interval_sec,
            ),
            accept=accept,
            publish=self._publish_namespace,
            failed=lambda: startup.failed(namespace.name),
            metrics=self._metrics,
            log=self._log,
        )

    async def _listen(self, proxy: Proxy, intake: Acceptance, stack: AsyncExitStack) -> None:
        settings = self._settings
        port = await stack.enter_async_context(
            serve(
                settings,
                current=lambda: status.with_proxy(self._publisher.current, proxy.health()),
                metrics=self._metrics,
                actions=Actions(
                    reload=lambda: self.refresh("/v1/reload"), accept=intake.accept_held
                ),
            )
        )
        self._log.info("the HTTP API listens", address=settings.address, port=port)

    async def _look_at(self, template: TemplateFile, reconciler: Reconciler) -> None:
        """Notice that somebody changed the template."""
        while True:
            await asyncio.sleep(_TEMPLATE_LOOK_SECONDS)
            if template.changed():
                reconciler.demand(f"{template.path.name} changed")

    def _publish_namespace(self, view: NamespaceView) -> None:
        self._publisher.publish(status.with_namespace, view)

    def _publish_stored(self, stored: StoredState) -> None:
        self._publisher.publish(status.with_stored, stored)

    def _publish_built(self, built: TopologyBuild, held: tuple[HeldWithdrawal, ...]) -> None:
        if built is not self._publisher.current.built:
            self._metrics.built(built)
        self._publisher.publish(status.with_built, built, held)


def _xproxy(settings: Settings) -> str:
    return settings.xproxy or socket.gethostname()


def _unseen(settings: Settings) -> tuple[NamespaceView, ...]:
    return tuple(
        NamespaceView(namespace.name, tuple(EndpointView(url) for url in namespace.drove))
        for namespace in settings.namespaces
    )
