"""The HAProxy driver: endpoint changes over the runtime API, structure by reload.

`plan` decides by what was last read. `apply` changes servers first, so that they are in traffic
before anything is rendered, and reloads only for what the runtime API cannot do. `run` follows
drains and health checks, writes the file, watches the process and audits.
"""

import asyncio
from collections.abc import Callable, Sequence

import msgspec
from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.health import PENDING, ProxyHealth
from drove_gateway.model.plan import ApplyStage, Durations, Outcome, Plan, Step
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.haproxy import structure
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.audit import Audit
from drove_gateway.proxies.haproxy.drain import Drains
from drove_gateway.proxies.haproxy.ledger import Stage
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.probe import Probes
from drove_gateway.proxies.haproxy.report import upstream_section
from drove_gateway.proxies.haproxy.rewrite import ConfigFile
from drove_gateway.proxies.haproxy.servers import Brought, Servers
from drove_gateway.proxies.haproxy.targets import Targets
from drove_gateway.proxies.haproxy.watch import Watch
from drove_gateway.proxies.installation.installation import Installation
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.topology.topology_diff import topology_diff

# A runtime API that is silent for longer does not come back by itself soon.
_SILENCE_SECONDS = 5.0
_NEW_PROCESS_SECONDS = 3.0
_NEW_PROCESS_PAUSE_SECONDS = 0.02

_STARTED = "the gateway started"


class HaproxyProxy:
    """HAProxy with a runtime API; a `Proxy`.

    Where `installation` is disabled, only backends that HAProxy has get their servers.
    """

    def __init__(
        self,
        api: RuntimeApi,
        options: Options,
        resolver: Resolver,
        installation: Installation,
        *,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._options = options
        self._resolver = resolver
        self._clock = clock
        self._log = log
        self._servers = Servers(api, options, Targets(options, resolver), clock=clock)
        self._drains = Drains(self._servers, api, clock=clock, log=log)
        self._probes = Probes(self._servers, api, clock=clock, log=log)
        self._watch = Watch(api, self._servers, clock=clock, log=log)
        self._installation = installation
        self._file = ConfigFile(installation, log)
        self._audit = Audit(
            self._servers,
            self._watch,
            resolver,
            self._file,
            interval=options.audit_interval,
            clock=clock,
            log=log,
        )
        self._desired: Topology | None = None
        self._served: Topology | None = None
        self._unrendered: frozenset[str] = frozenset()
        self._doubts: tuple[str, ...] = (_STARTED,)
        self._failed: tuple[tuple[str, str], ...] = ()

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """Server steps by what was last read; reload reasons for what needs a new generation."""
        self._desired = desired
        doubts = (*self._doubts, *demands)
        servers: tuple[Step, ...]
        if doubts or self._servers.seen is None:
            servers = (Step("read servers", "HAProxy", "; ".join(doubts) or "not known yet"),)
        else:
            servers = tuple(change.step() for change in self._servers.pending(desired))
        # A vhost that is refused is tried again by itself, not with every change of a server.
        reachable = self._installation.reachable(desired) if servers else desired
        reasons = (*doubts, *self._reload_reasons(reachable))
        return Plan(desired, reload=self._installation.reload_reasons(reasons), servers=servers)

    async def apply(self, plan: Plan) -> Outcome:
        """Change the servers, then reload if `plan` says so, then settle what differs.

        Raises GatewayError; what was applied by then is remembered.
        """
        if any(step.action == "read servers" for step in plan.servers):
            self._servers.doubt()
        if plan.reload:
            return await self._apply_by_reload(plan)
        begin = self._clock()
        brought = await self._bring(plan.desired)
        if not self._installation.enabled:
            self._doubts = ()
        self._file.want(plan.desired)
        return self._outcome(plan, brought, ((ApplyStage.SERVERS, self._clock() - begin),))

    async def run(self, wake: Callable[[str], None]) -> None:
        """Follow drains, health checks, names, the file, the process, and audit."""

        def moved(name: str) -> None:
            self._servers.targets.look_again_at_host(name)
            wake(f"{name} has another address")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._drains.run())
            tasks.create_task(self._probes.run(wake))
            tasks.create_task(self._resolver.run(moved))
            tasks.create_task(self._audit.run(lambda: self._desired, wake))
            tasks.create_task(self._file.run())

    def distrust(self, reason: str) -> None:
        """Read the servers anew at the next apply, and reload unless the generation serves."""
        if reason not in self._doubts:
            self._doubts = (*self._doubts, reason)

    @property
    def draining(self) -> int:
        """Removed servers that are not deleted yet."""
        return sum(1 for _ in self._servers.ledger.at(Stage.DRAINING, Stage.LEAVING))

    def health(self) -> ProxyHealth:
        """The sections as of now: what is pending, refused or unknown is not healthy."""
        upstream = PENDING
        if self._desired is not None:
            upstream = upstream_section(
                self._servers, self._desired, self._watch.problem, self._failed
            )
        return ProxyHealth(
            config=self._installation.config_health(self._desired),
            template=self._installation.template_health(),
            upstream_updates=upstream,
            resolver=self._resolver.health(),
            draining=self.draining,
        )

    async def _apply_by_reload(self, plan: Plan) -> Outcome:
        desired = plan.desired
        only_doubts = set(plan.reload) <= set(self._doubts)
        begin = self._clock()
        first = Brought((), {})
        try:
            first = await self._bring(desired)
        except RuntimeApiError as error:
            self._log.warning("servers cannot be changed before the reload", error=str(error))
        between = self._clock()
        # Runtime changes during a reload would be lost on the new process: they wait.
        async with self._file.lock, self._servers.lock:
            installed = await self._installation.install(desired, servers_by_api=only_doubts)
            self._file.reloaded()
            self._doubts = ()
            if installed.reloaded:
                self._servers.forget()
                await self._await_new_process()
        self._served = desired
        after = self._clock()
        second = await self._bring_after_reload(desired)
        self._unrendered = frozenset(self._servers.lacking)
        seconds = (
            (ApplyStage.SERVERS, between - begin),
            *installed.seconds,
            (ApplyStage.COMPARE, self._clock() - after),
        )
        both = Brought((*first.done, *second.done), second.failed)
        outcome = self._outcome(plan, both, seconds, installed.steps(plan.reload))
        return msgspec.structs.replace(outcome, reloaded=installed.reloaded)

    async def _bring_after_reload(self, desired: Topology) -> Brought:
        """The reload stands, also where the runtime API is silent and cannot confirm it."""
        try:
            return await self._bring(desired)
        except RuntimeApiError as error:
            return Brought((), {"the runtime API": f"{error}; the file was loaded by a reload"})

    async def _bring(self, desired: Topology) -> Brought:
        servers = self._servers
        fresh = servers.seen is None
        if fresh:
            async with servers.lock:
                await self._watch.look()
        brought = await servers.bring(desired)
        if fresh or brought.failed or not self._installation.enabled:
            servers.look_for_backends(desired)
        if not brought.failed:
            self._served = desired
        return brought

    async def _await_new_process(self) -> None:
        """A reload command may return before the new process holds the socket."""
        before = self._watch.process
        deadline = self._clock() + _NEW_PROCESS_SECONDS
        while self._clock() < deadline:
            try:
                await self._watch.look()
            except RuntimeApiError:
                await asyncio.sleep(_NEW_PROCESS_PAUSE_SECONDS)
                continue
            if before is None or self._watch.process != before:
                return
            await asyncio.sleep(_NEW_PROCESS_PAUSE_SECONDS)

    def _outcome(
        self,
        plan: Plan,
        brought: Brought,
        seconds: Durations,
        steps: tuple[Step, ...] = (),
    ) -> Outcome:
        vhosts = {
            backend: app.vhost
            for app in (plan.desired.apps.values() if brought.failed else ())
            for backend in self._options.naming.backends(app)
        }
        failed = [(vhosts.get(name, name), why) for name, why in brought.failed.items()]
        refused = self._installation.failed(plan.desired)
        failed += [
            (vhost, f"HAProxy has no backend {backend}")
            for backend, vhost in self._servers.lacking.items()
            if vhost not in dict(refused)
        ]
        failed += self._servers.targets.unresolved(plan.desired)
        self._failed = tuple(failed)
        changes = tuple(change.step() for change in brought.done)
        return Outcome((*steps, *changes), (*refused, *failed), seconds)

    def _reload_reasons(self, desired: Topology) -> list[str]:
        reasons = [
            f"backend {backend}: {why}; the file is loaded instead"
            for backend, why in self._servers.refused.items()
        ]
        installed = self._installation.installed
        if installed is None:
            return reasons
        reasons += structure.reasons(installed, desired, self._options.naming)
        for backend, vhost in self._servers.lacking.items():
            before, now = installed.apps.get(vhost), desired.apps.get(vhost)
            if before is None or now is None:
                continue
            if backend not in self._unrendered:
                reasons.append(f"HAProxy runs without backend {backend}")
            elif set(before.hosts) != set(now.hosts):
                reasons.append(f"HAProxy has no backend {backend} to change at runtime")
        silent = self._watch.silent_seconds()
        if silent > _SILENCE_SECONDS and topology_diff(self._served or desired, desired).changed:
            reasons.append(
                f"the runtime API has not answered for {silent:.0f} s; the file is loaded instead"
            )
        return reasons
