"""The driver of a proxy with a runtime API: servers over the API, structure by reload.

`plan` decides by what was last read. `apply` changes servers first, so that they are in traffic
before anything is rendered, and reloads only for what the runtime API cannot do. `run` follows
drains and health checks, writes the file, watches the process and audits.
"""

import asyncio
from collections.abc import Callable, Collection, Container, Sequence

import msgspec

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import GatewayError, RuntimeApiError
from drove_gateway.model.health import PENDING, HealthSection, ProxyHealth
from drove_gateway.model.plan import ApplyStage, Durations, Outcome, Plan, Step
from drove_gateway.model.proxy import ServerState
from drove_gateway.model.vocabulary import App, Topology
from drove_gateway.proxies.certificates.follower import FollowsCertificates, NoCertificates
from drove_gateway.proxies.foreign_changes import ForeignChanges
from drove_gateway.proxies.installation.installation import Installation
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.added_backends import AddedBackends
from drove_gateway.proxies.runtime.audit import Audit
from drove_gateway.proxies.runtime.backend_sync import BackendSync
from drove_gateway.proxies.runtime.drains import Drains
from drove_gateway.proxies.runtime.engine import Engine, SyncResult
from drove_gateway.proxies.runtime.file_rewrite import ConfigFile
from drove_gateway.proxies.runtime.late_reload import CountWorkers, LateReload
from drove_gateway.proxies.runtime.ledger import Stage
from drove_gateway.proxies.runtime.loader import Loader
from drove_gateway.proxies.runtime.orphans import Orphans
from drove_gateway.proxies.runtime.probes import Probes
from drove_gateway.proxies.runtime.reload_reasons import ReloadReasons, reload_reasons
from drove_gateway.proxies.runtime.report import failures, listed, servers_section
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules, desired_servers
from drove_gateway.proxies.runtime.servers import Action, DesiredBackend
from drove_gateway.proxies.runtime.states import server_states
from drove_gateway.proxies.runtime.steps import READ, server_steps
from drove_gateway.proxies.runtime.watch import Watch


async def _no_workers() -> None:
    """Count no workers: a proxy whose processes cannot be seen."""


def _nobody_listens(news: str) -> None:
    """Before `run`, nothing plans again by itself."""


class RuntimeProxy:
    """A proxy with a runtime API; a `Proxy`.

    Where `installation` is disabled, only backends that the proxy has get their servers.
    """

    def __init__(
        self,
        adapter: Adapter,
        rules: RuntimeRules,
        resolver: Resolver,
        installation: Installation,
        *,
        clock: Callable[[], float],
        log: EventLog,
        count_workers: CountWorkers = _no_workers,
        certificates: FollowsCertificates | None = None,
        added: AddedBackends | None = None,
    ) -> None:
        self._adapter = adapter
        self._certificates = certificates or NoCertificates()
        self._abilities = adapter.abilities
        self._rules = rules
        self._resolver = resolver
        self._clock = clock
        self._log = log
        servers = desired_servers(rules, adapter, resolver, reloads=installation.enabled)
        self._engine = Engine(adapter, servers, resolver, clock=clock)
        self._engine.notes_missing = not (installation.enabled or adapter.abilities.hides_empty)
        self._drains = Drains(self._engine, clock=clock, log=log)
        self._probes = Probes(self._engine, clock=clock, log=log)
        self._watch = Watch(self._engine, clock=clock, log=log)
        self._foreign = ForeignChanges(
            adapter.name, audit_interval=rules.audit_interval, clock=clock, log=log
        )
        self._foreign_loads = 0
        self._audit = Audit(
            self._engine,
            self._watch,
            resolver,
            self._foreign,
            interval=rules.audit_interval,
            watch_interval=rules.watch_interval,
            clock=clock,
            log=log,
        )
        self._backends = self._backend_sync(installation, added or AddedBackends())
        written = self._backends.written if self._backends else lambda: ""
        self._file = ConfigFile(installation, log, self._doubt, written)
        self._loader = Loader(
            self._engine, self._watch, installation, self._file, self._backends, log=log
        )
        self._late = LateReload(rules.structure_interval, count_workers)
        self._wake: Callable[[str], None] = _nobody_listens
        self._orphans = Orphans(rules.owned, rules.orphan_patience)
        self._installation = installation
        self._desired: Topology | None = None
        self._served: Topology | None = None
        self._unrendered: frozenset[str] = frozenset()
        self._failed: tuple[tuple[str, str], ...] = ()
        self._failure = ""
        self._before_reload: HealthSection | None = None

    def _backend_sync(self, installation: Installation, added: AddedBackends) -> BackendSync | None:
        if self._adapter.texts is None:
            return None
        backends = BackendSync(
            self._engine,
            self._adapter.texts,
            self._resolver,
            installation,
            added,
            patience=self._rules.drain_timeout,
            clock=self._clock,
            log=self._log,
        )
        self._engine.written = backends.servers
        return backends

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """Server steps by what was last read; reload reasons for what needs a new generation."""
        self._desired = desired
        self._late.retain(desired.apps)
        doubts = (*self._loader.doubts.reasons, *self._late.reasons, *demands)
        if self._installation.failing and not (doubts or self._reload_reasons(desired).any):
            self._installation.forget_failure()
        servers = server_steps(self._engine, desired, doubts, self._waits)
        # A vhost that is refused is tried again by itself, not with every change of a server.
        reachable = self._installation.reachable(desired) if servers else desired
        reload, steps = self._loader.plan(desired, self._reload_reasons(reachable), doubts)
        return Plan(desired, reload=reload, servers=(*servers, *steps))

    async def apply(self, plan: Plan) -> Outcome:
        """Change the servers, then reload if `plan` says so, then settle what differs.

        Raises GatewayError; what was applied by then is remembered.
        """
        self._loader.doubts.begin()
        again = {step.subject: step.reason for step in plan.servers if step.action == READ}
        # The due backends are looked at anyway.
        for backend in self._engine.desired.due(plan.desired):
            again.pop(backend.name, None)
        if again:
            self._engine.doubt(next(iter(again.values())), again.keys())
        if plan.reload or self._loader.pending:
            return await self._apply_configuration(plan)
        begin = self._clock()
        synced = await self._sync(plan.desired)
        if not self._installation.enabled:
            self._loader.doubts.resolve()
        if self._abilities.file_has_servers:
            self._file.request(plan.desired)
        return self._outcome(plan, synced, ((ApplyStage.SERVERS, self._clock() - begin),))

    async def run(self, wake: Callable[[str], None]) -> None:
        """Follow drains, health checks, names, the file, the process, and audit."""

        def moved(name: str) -> None:
            if self._engine.desired.look_again_at_host(name):
                wake(f"{name} has another address")

        self._wake = wake
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drains.run(wake))
            tasks.create_task(self._late.run(wake))
            tasks.create_task(self._certificates.run(self._doubt))
            if self._backends is not None:
                tasks.create_task(self._backends.run())
            tasks.create_task(self._probes.run(wake))
            tasks.create_task(self._resolver.run(moved))
            tasks.create_task(self._audit.watch(lambda: self._desired, wake))
            tasks.create_task(self._audit.run(lambda: self._desired, wake))
            tasks.create_task(self._audit_file(wake))
            tasks.create_task(self._file.run())

    def distrust(self, reason: str) -> None:
        """Read the servers anew at the next apply, and reload unless the generation serves."""
        self._engine.desired.look_again(reason)
        self._loader.doubts.add(reason)

    async def servers(self, app: App) -> tuple[ServerState, ...] | None:
        """The app's servers as the runtime API shows them now."""
        ledger, now = self._engine.ledger, self._clock()
        if self._watch.problem:
            # It is known to be silent: nobody waits for it once more.
            raise RuntimeApiError(self._watch.problem)
        return await server_states(self._adapter, self._resolver, app, ledger, now)

    @property
    def draining(self) -> int:
        """Removed servers that are not deleted yet."""
        return self._engine.ledger.count(Stage.DRAINING, Stage.LEAVING)

    @property
    def file_is_behind(self) -> bool:
        """Whether the configuration file does not have the last runtime changes yet."""
        return self._file.behind

    @property
    def leaving(self) -> Collection[str]:
        """Backends that no request reaches and that are not deleted yet."""
        return self._backends.leaving.keys() if self._backends is not None else ()

    def health(self) -> ProxyHealth:
        """The sections as of now: what is pending, refused or unknown is not healthy."""
        servers = self._before_reload or self._servers_health()
        return ProxyHealth(
            config=self._foreign.section(self._installation.config_health(self._desired)),
            template=self._installation.template_health(),
            notes=self._installation.notes(),
            upstream_updates=servers,
            resolver=self._resolver.health(self._desired),
            draining=self.draining,
            overdue=self._engine.ledger.overdue(self._clock()),
            contested=self._foreign.problem,
            certificates=self._certificates.section(),
            certificate_files=self._certificates.health(),
        )

    def _servers_health(self) -> HealthSection:
        if self._desired is None:
            return PENDING
        silence = self._watch.problem or self._failure
        surplus = self._backends.surplus if self._backends is not None else ()
        return servers_section(self._engine, self._desired, silence, self._failed, surplus)

    def _waits(self, backend: DesiredBackend) -> bool:
        """Whether the configuration that the proxy runs cannot have the backend yet."""
        installed = self._installation.installed
        if not self._abilities.hides_empty or installed is None:
            return False
        desired = self._desired.apps if self._desired else {}
        return backend.vhost in desired and backend.vhost not in installed.apps

    async def _apply_configuration(self, plan: Plan) -> Outcome:
        begin = self._clock()
        first = SyncResult()
        tries = self._loader.can_try_at_runtime
        joining = self._loader.joining(plan.desired)
        try:
            first = await self._sync(plan.desired, leaving_waits=tries, joining=joining)
        except RuntimeApiError as error:
            self._log.write(LogEvent.RELOAD_FIRST, error=str(error))
        between = self._clock()
        # Until a new process is read, its servers are those of a moment ago: the file has them.
        self._before_reload = self._servers_health() if self._engine.known else None
        try:
            installed = await self._loader.install(plan, self._wake)
            self._served = plan.desired
            after = self._clock()
            second = await self._sync_after_reload(plan.desired)
        except GatewayError:
            if joining:
                # With other options than a text would give them, they serve all the same.
                await self._sync_after_reload(plan.desired, leaving_waits=tries)
            raise
        finally:
            self._before_reload = None
        if not installed.needs_reload:
            self._engine.look_for_backends(plan.desired)
            self._unrendered = frozenset(self._engine.missing)
        seconds = (
            (ApplyStage.SERVERS, between - begin),
            *installed.seconds,
            (ApplyStage.COMPARE, self._clock() - after),
        )
        changed = self._loader.changes()
        if installed.reloaded or (self._late.is_met(plan.reload) and not installed.needs_reload):
            self._late.reloaded()
            if self._foreign_loads != self._watch.foreign_loads:
                self._foreign.note(["its whole configuration"])
            self._foreign_loads = self._watch.foreign_loads
        elif self._abilities.publishes_early:
            self._late.add({each.backend for each in changed if each.action is Action.PUBLISH})
        both = SyncResult((*first.done, *changed, *second.done), second.failed)
        steps = installed.steps(self._loader.reasons(plan, installed))
        outcome = self._outcome(plan, both, seconds, steps)
        return msgspec.structs.replace(outcome, reloaded=installed.reloaded)

    async def _sync_after_reload(
        self, desired: Topology, *, leaving_waits: bool = False
    ) -> SyncResult:
        """The reload stands, also where the runtime API is silent and cannot confirm it."""
        try:
            return await self._sync(desired, leaving_waits=leaving_waits)
        except RuntimeApiError as error:
            if not self._abilities.file_has_servers:
                raise
            return SyncResult(
                failed={"the runtime API": f"{error}; the file was loaded by a reload"}
            )

    async def _sync(
        self,
        desired: Topology,
        *,
        leaving_waits: bool = False,
        joining: Container[str] = (),
    ) -> SyncResult:
        """Change servers; with `leaving_waits` not those of vhosts that left, and never those of
        the backends in `joining`."""

        def waits(backend: DesiredBackend) -> bool:
            left = leaving_waits and backend.vhost not in desired.apps
            return left or backend.name in joining or self._waits(backend)

        engine = self._engine
        fresh = not engine.known
        engine.fills_missing = self._abilities.creates_backends or (
            self._abilities.hides_empty
            and (not self._installation.enabled or self._installation.installed is not None)
        )
        try:
            if fresh:
                async with engine.lock:
                    await self._watch.look()
            synced = await engine.bring(desired, waits)
        except RuntimeApiError as error:
            self._failure = str(error)
            raise
        finally:
            if self.draining:
                engine.removals.set()
        self._failure = ""
        if not self._abilities.hides_empty and (fresh or synced.failed):
            engine.look_for_backends(desired)
        if not synced.failed:
            self._served = desired
        return synced

    async def _audit_file(self, wake: Callable[[str], None]) -> None:
        """Every audit interval: the file on disk must be as it was made."""
        while True:
            await asyncio.sleep(self._rules.audit_interval)
            if self._desired is None or self._file.lock.locked():
                continue
            self._foreign.look()
            if found := self._find_orphans():
                wake(f"{listed(found)} not on the cluster")
            if self._abilities.file_has_servers:
                self._file.request(self._desired)
                continue
            drift = await self._installation.drift()
            if drift and drift not in self._loader.doubts.reasons:
                self._foreign.note(["its whole configuration"])
                self._loader.doubts.add(drift)
                wake(drift)

    def _doubt(self, reason: str) -> None:
        """The proxy may not have what its file says, or the reverse: compare, and repair."""
        self._loader.doubts.add(reason)
        self._wake(reason)

    def _find_orphans(self) -> Sequence[str]:
        """Start to empty the backends of vhosts that are gone and that this run never saw."""
        if self._desired is None or self._installation.enabled:
            return ()
        found = self._orphans.found(self._desired, self._engine.desired.vhosts(), self._clock())
        for vhost in found:
            self._engine.desired.remove(vhost)
        return found

    def _outcome(
        self,
        plan: Plan,
        synced: SyncResult,
        seconds: Durations,
        steps: tuple[Step, ...] = (),
    ) -> Outcome:
        refused = self._installation.failed(plan.desired)
        self._failed = failures(self._engine, plan.desired, synced.failed, dict(refused))
        changes = tuple(change.step() for change in synced.done)
        return Outcome((*steps, *changes), (*refused, *self._failed), seconds)

    def _reload_reasons(self, desired: Topology) -> ReloadReasons:
        return reload_reasons(
            self._adapter,
            self._engine,
            self._installation.installed,
            desired,
            served=self._served,
            unrendered=self._unrendered,
            silent=self._watch.silent_seconds(),
        )
