"""The driver of NGINX Plus: servers over the API, reloads where vhosts come or go."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence

import msgspec
from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import CheckRefused, GatewayError, RenderError, RuntimeApiError
from drove_gateway.model.health import PENDING, HealthSection, ProxyHealth
from drove_gateway.model.plan import ApplyStage, Outcome, Plan, Step
from drove_gateway.model.vocabulary import EMPTY, Topology
from drove_gateway.proxies.installation.installation import Installation, InstallResult
from drove_gateway.proxies.installation.timings import Timings
from drove_gateway.proxies.nginx.plus import desired as wish
from drove_gateway.proxies.nginx.plus.client import ApiMetrics, Client
from drove_gateway.proxies.nginx.plus.drain import Sweeper
from drove_gateway.proxies.nginx.plus.gate import Gate
from drove_gateway.proxies.nginx.plus.kept import KeptUpstream
from drove_gateway.proxies.nginx.plus.orphans import Orphans
from drove_gateway.proxies.nginx.plus.planner import Parameters
from drove_gateway.proxies.nginx.plus.report import listed, upstream_section
from drove_gateway.proxies.nginx.plus.upstreams import Done, DrainRule, Upstreams
from drove_gateway.proxies.nginx.plus.watch import Watch
from drove_gateway.proxies.nginx.plus.writer import Writer
from drove_gateway.proxies.runtime.resolver import Resolver

# Where NGINX is new to the gateway, the audit follows soon: comparing many upstreams at once reads
# no parameters, and after a reload a worker that leaves may have answered.
_SOON_SECONDS = 1.0


class Rules(msgspec.Struct, frozen=True):
    """What of the settings the driver needs; times in seconds.

    `owned` has the vhosts that the realms name one by one. Without reloads, an upstream of such a
    name loses its servers also when this process never saw its vhost, once the vhost has been
    missing for `orphan_patience`: a leader that is new does not know all its instances yet.
    """

    parameters: Parameters
    drain_timeout: float
    drain_timeout_tag: str
    audit_interval: float
    watch_interval: float = 1.0
    owned: frozenset[str] = frozenset()
    orphan_patience: float = 120.0


class NginxPlus:
    """NGINX Plus with its API; a `Proxy`."""

    def __init__(
        self,
        client: Client,
        rules: Rules,
        installation: Installation,
        resolver: Resolver,
        *,
        metrics: ApiMetrics,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._rules = rules
        self._installation = installation
        self._resolver = resolver
        self._clock = clock
        self._log = log
        self._gate = Gate()
        self._watch = Watch(client, log)
        self._sweeper = Sweeper(client, self._gate, clock, log)
        self._upstreams = Upstreams(
            client,
            Writer(client, self._gate, rules.parameters, clock),
            resolver,
            DrainRule(
                rules.drain_timeout,
                rules.drain_timeout_tag,
                leaving_seconds=0.0 if installation.enabled else None,
            ),
            metrics=metrics,
            clock=clock,
            log=log,
        )
        self._planned: Topology | None = None
        self._taken: Topology | None = None
        self._doubts: tuple[str, ...] = ("the gateway started",)
        self._orphans = Orphans(rules.owned, rules.orphan_patience)
        self._audit_soon = asyncio.Event()
        self._failure = ""

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """Servers that differ go over the API; vhosts that come or go, and demands, reload."""
        self._planned = desired
        due = dict(wish.changed(self._taken, desired))
        for kept in self._upstreams.kept.values():
            if kept.due or demands:
                due.setdefault(kept.name, kept.due or demands[0])
        steps = tuple(
            Step("compare upstream", name, reason)
            for name, reason in due.items()
            if not self._awaits_reload(name, desired)
        )
        structural = wish.structural(self._installation.installed, desired)
        reasons = (*self._doubts, *demands, *structural)
        return Plan(desired, reload=self._installation.reload_reasons(reasons), servers=steps)

    async def apply(self, plan: Plan) -> Outcome:
        """Change servers, then reload where the plan says so, then compare everything again.

        Raises GatewayError; what was changed by then stays and is remembered.
        """
        timings = Timings(self._clock)
        due = wish.changed(self._taken, plan.desired)
        self._upstreams.take(
            self._taken or EMPTY,
            plan.desired,
            {**due, **{step.subject: step.reason for step in plan.servers}},
        )
        self._taken = plan.desired
        kept, done = self._upstreams.kept, Done()
        try:
            with timings.stage(ApplyStage.SERVERS):
                existing = [kept[one.subject] for one in plan.servers if one.subject in kept]
                create = not self._installation.enabled or self._installation.installed is not None
                done = await self._bring(existing, create=create)
        except RuntimeApiError:
            # The API may come with the reload; without one there is nothing else to try.
            if not plan.reload:
                raise
        if not plan.reload:
            return Outcome(done.steps, done.failed, timings.seconds)
        installed = await self._install(plan)
        with timings.stage(ApplyStage.COMPARE):
            again = await self._bring(
                [
                    one
                    for one in kept.values()
                    if one.due and not self._awaits_reload(one.name, plan.desired)
                ],
                create=True,
            )
        return Outcome(
            steps=(*done.steps, *installed.steps(plan.reload), *again.steps),
            failed=(*installed.failed, *again.failed),
            seconds=(*installed.seconds, *timings.seconds),
            reloaded=installed.reloaded,
        )

    async def run(self, wake: Callable[[str], None]) -> None:
        """Watch NGINX, look after drained servers, audit, follow addresses; until cancelled."""

        def moved(host: str) -> None:
            if self._upstreams.moved(host):
                wake(f"{host} has another address")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watching(wake))
            tasks.create_task(self._auditing(wake))
            tasks.create_task(self._sweeper.run(self._upstreams.kept.values, wake))
            tasks.create_task(self._resolver.run(moved))

    @property
    def draining(self) -> int:
        """How many servers are in drain, to be deleted."""
        return sum(len(kept.draining) for kept in self._upstreams.kept.values())

    def distrust(self, reason: str) -> None:
        """Compare everything at the next plan, and install the generation unless it serves."""
        self._upstreams.all_due(reason)
        self._watch.known = None
        if reason not in self._doubts:
            self._doubts = (*self._doubts, reason)

    def health(self) -> ProxyHealth:
        return ProxyHealth(
            config=self._installation.config_health(self._taken),
            template=self._installation.template_health(),
            upstream_updates=self._upstream_updates(),
            resolver=self._resolver.health(),
            draining=self.draining,
        )

    def _awaits_reload(self, name: str, desired: Topology) -> bool:
        """Whether the configuration that NGINX runs cannot have the upstream yet."""
        installed = self._installation.installed
        return installed is not None and name in desired.apps and name not in installed.apps

    async def _bring(self, chosen: Sequence[KeptUpstream], *, create: bool) -> Done:
        if not chosen:
            return Done()
        if self._watch.known is None:
            self._audit_soon.set()
        try:
            await self._watch.learn()
            done = await self._upstreams.bring(chosen, create=create)
        except RuntimeApiError as error:
            self._failure = str(error)
            raise
        finally:
            if self.draining:
                self._sweeper.notice()
        self._failure = ""
        return done

    async def _install(self, plan: Plan) -> InstallResult:
        """Bring NGINX to a new generation, while no server is changed. Raises GatewayError."""
        try:
            async with self._gate.closed():
                installed = await self._installation.install(plan.desired)
                if installed.reloaded:
                    await self._watch.reloaded()
        except GatewayError as error:
            if not isinstance(error, RenderError | CheckRefused):
                self._upstreams.all_due("NGINX may have been reloaded")
            raise
        self._doubts = ()
        if installed.reloaded:
            self._upstreams.all_due("NGINX was reloaded")
        return installed

    async def _watching(self, wake: Callable[[str], None]) -> None:
        while True:
            await asyncio.sleep(self._rules.watch_interval)
            if self._taken is None or self._gate.is_closed:
                continue
            happened = await self._watch.look()
            if happened:
                self._upstreams.all_due(happened)
                self._audit_soon.set()
                wake(happened)

    async def _auditing(self, wake: Callable[[str], None]) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rules.audit_interval):
                    await self._audit_soon.wait()
            if self._audit_soon.is_set():
                self._audit_soon.clear()
                await asyncio.sleep(_SOON_SECONDS)
            if self._taken is None or self._gate.is_closed:
                continue
            try:
                await self._audit_generation(wake)
                differing = [*self._left_behind(), *await self._upstreams.audit()]
            except GatewayError as error:
                self._log.warning("NGINX Plus could not be audited", reason=str(error))
                continue
            if differing:
                wake(f"{listed(differing)} not as on the cluster")

    async def _audit_generation(self, wake: Callable[[str], None]) -> None:
        """The file on disk and the generation that answers must be the installed ones."""
        drift = await self._installation.drift()
        if drift and drift not in self._doubts:
            self._doubts = (*self._doubts, drift)
            wake(drift)

    def _left_behind(self) -> Sequence[str]:
        """Upstreams to be emptied although this run never saw their vhosts."""
        if self._installation.enabled or self._planned is None:
            return ()
        found = self._orphans.found(self._planned, self._upstreams.kept.keys(), self._clock())
        for name in found:
            self._upstreams.leave(name)
        return found

    def _upstream_updates(self) -> HealthSection:
        if self._taken is None:
            return PENDING
        if problem := self._watch.unreachable or self._failure:
            return HealthSection(healthy=False, message=problem)
        return upstream_section(self._upstreams.kept.values())
