"""The way in: watches Drove's controllers and turns their responses into the desired state."""

import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from drove_gateway.acceptance.acceptance import Acceptance, Desire
from drove_gateway.acceptance.probing import Probing
from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.daemon import assembly
from drove_gateway.daemon.controllers import controllers
from drove_gateway.daemon.startup import Startup
from drove_gateway.daemon.status_reports import StatusReports
from drove_gateway.drove.follower import ControllerApi
from drove_gateway.drove.metrics import DroveMetrics
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.proxies.namespace_rules import namespace_rules
from drove_gateway.proxies.runtime.resolver import FRESH_SECONDS, Lookup, Resolver
from drove_gateway.state.document import StoredNamespace


class DroveInput:
    """The namespaces of one configuration: their watches, the startup and the acceptance.

    `known` has the snapshots that an earlier configuration of this process accepted, and gets the
    new ones; `remembered` is what an earlier run applied, `adopted` what the proxy serves where
    nothing is remembered. `lookup` returns the addresses of a host name.
    """

    def __init__(
        self,
        settings: Settings,
        desire: Desire,
        *,
        known: dict[str, Snapshot],
        remembered: Mapping[str, StoredNamespace],
        adopted: Mapping[str, Snapshot],
        lookup: Lookup,
        reports: StatusReports,
        metrics: DroveMetrics,
        log: EventLog,
    ) -> None:
        self._settings = settings
        self._known = known
        self._reports = reports
        self._metrics = metrics
        self._log = log
        self._watches: list[NamespaceWatch] = []
        self._probing = self._prober(lookup) if settings.guard_probe else None
        self.acceptance = Acceptance(
            namespace_rules(settings),
            assembly.guard_limits(settings),
            desire,
            clock=time.monotonic,
            publish=reports.accepted,
            probing=self._probing,
        )
        self._startup = Startup(
            self.acceptance,
            remembered,
            assembly.startup_patience(settings),
            adopted=adopted,
            publish=reports.restored,
            absent=reports.absent,
            log=log,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Open the sessions of all controllers. Raises ConfigError for a CA file's fault."""
        async with AsyncExitStack() as stack:
            for namespace in self._settings.namespaces:
                opened = controllers(self._settings, namespace)
                watch = self._watch(namespace, await stack.enter_async_context(opened))
                self._watches.append(watch)
                await self._begin(namespace)
            yield

    def tasks(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what has to run: each namespace's watch, and its startup."""
        for watch in self._watches:
            yield watch.run()
            yield self._startup.run(watch.name, watch.request_refresh)
        if self._probing is not None:
            yield self._probing.run(self.acceptance.look_again)

    def refresh(self) -> None:
        """Ask every leader again."""
        for watch in self._watches:
            watch.request_refresh()

    def _prober(self, lookup: Lookup) -> Probing:
        limit = self._settings.dns_resolution_timeout_sec
        names = Resolver(lookup, timeout=limit, ttl=FRESH_SECONDS, clock=time.monotonic)
        return Probing(names, clock=time.monotonic)

    async def _begin(self, namespace: NamespaceSettings) -> None:
        name = namespace.name
        if name in self._known:
            self.acceptance.restore(self._known[name])
            await self.acceptance.stop_waiting(name, "the configuration changed")
        else:
            self._startup.begin(name, namespace.drove)

    def _watch(
        self, namespace: NamespaceSettings, asked: tuple[ControllerApi, ...]
    ) -> NamespaceWatch:
        return NamespaceWatch(
            namespace.name,
            asked,
            pace=assembly.poll_pace(self._settings),
            accept=self._accept,
            publish=self._reports.namespace,
            failed=lambda: self._startup.failed(namespace.name),
            metrics=self._metrics,
            log=self._log,
        )

    async def _accept(self, response: Snapshot) -> bool:
        accepted = await self._startup.weigh(response)
        self._known[response.namespace] = accepted.snapshot
        return accepted.complete
