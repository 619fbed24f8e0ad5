"""A proxy that is configured by its file alone: every change is a new generation."""

import asyncio
from collections.abc import Callable, Sequence

from drove_gateway.model.errors import CheckRefused, CommandTimeout
from drove_gateway.model.health import NO_RUNTIME_API, ProxyHealth
from drove_gateway.model.plan import Outcome, Plan
from drove_gateway.model.proxy import ServerState
from drove_gateway.model.vocabulary import EMPTY, App, Topology
from drove_gateway.proxies.certificates.follower import FollowsCertificates, NoCertificates
from drove_gateway.proxies.foreign_changes import ForeignChanges
from drove_gateway.proxies.installation.doubts import Doubts
from drove_gateway.proxies.installation.installation import Installation, InstallResult
from drove_gateway.proxies.installation.last_addresses import LastAddresses
from drove_gateway.topology.topology_diff import TopologyDiff, reasons, topology_diff


class ReloadingProxy:
    """NGINX OSS, OpenResty, or HAProxy without a runtime API; a `Proxy`."""

    def __init__(
        self,
        installation: Installation,
        addresses: LastAddresses,
        *,
        audit_interval: float,
        certificates: FollowsCertificates | None = None,
        foreign: ForeignChanges | None = None,
    ) -> None:
        self._installation = installation
        self._addresses = addresses
        self._certificates = certificates or NoCertificates()
        self._foreign = foreign
        self._audit_interval = audit_interval
        self._desired: Topology | None = None
        self._doubts = Doubts("the gateway started")

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """Reload for any difference, every doubt, and every demand.

        A generation that already serves is recognised when it is installed, and not reloaded.
        """
        self._desired = desired
        installed = self._installation.installed
        serving = self._addresses.instead_of_names(desired)
        changes = topology_diff(installed, serving) if installed else TopologyDiff()
        why = (*self._doubts.reasons, *demands, *reasons(changes))
        if not why and self._installation.failing:
            self._installation.forget_failure()
        return Plan(desired, reload=self._installation.reload_reasons(why))

    async def apply(self, plan: Plan) -> Outcome:
        """Install the plan's generation. Raises RenderError or ProxyError; then nothing changed."""
        if not plan.reload:
            return Outcome()
        self._doubts.begin()
        result = await self._install(plan.desired)
        self._doubts.resolve()
        return Outcome(
            steps=result.steps(plan.reload),
            failed=result.failed,
            seconds=result.seconds,
            reloaded=result.reloaded,
        )

    async def _install(self, desired: Topology) -> InstallResult:
        serving = self._addresses.instead_of_names(desired)
        try:
            result = await self._installation.install(serving)
        except (CheckRefused, CommandTimeout) as error:
            await self._addresses.look()
            if isinstance(error, CommandTimeout):
                await self._addresses.leave_out_unknown(desired)
            again = self._addresses.instead_of_names(desired)
            if again == serving:
                raise
            result = await self._installation.install(again)
        await self._addresses.remember(desired)
        return result

    async def run(self, wake: Callable[[str], None]) -> None:
        """Audit, and follow the certificates, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._audit(wake))
            tasks.create_task(self._certificates.run(lambda reason: self._doubt(reason, wake)))

    def _doubt(self, reason: str, wake: Callable[[str], None]) -> None:
        self.distrust(reason)
        wake(reason)

    async def _audit(self, wake: Callable[[str], None]) -> None:
        """The file on disk and the serving generation must be the installed ones."""
        while True:
            await asyncio.sleep(self._audit_interval)
            await self._look_for_names(wake)
            drift = await self._installation.drift()
            restored = bool(drift) and drift not in self._doubts.reasons
            if self._foreign is not None:
                self._foreign.note(["its whole configuration"] if restored else [])
            if restored:
                self._doubt(drift, wake)

    async def _look_for_names(self, wake: Callable[[str], None]) -> None:
        """Return to the names of hosts when they have addresses again."""
        desired = self._desired
        if desired is None or self._addresses.instead_of_names(desired) is desired:
            return
        await self._addresses.look()
        if self._addresses.instead_of_names(desired) is desired:
            wake("host names have addresses again")

    def distrust(self, reason: str) -> None:
        """Install the generation again, unless it proves to serve."""
        self._doubts.add(reason)

    async def servers(self, app: App) -> tuple[ServerState, ...] | None:  # noqa: ARG002
        """Without a runtime API the proxy does not tell."""
        return None

    def health(self) -> ProxyHealth:
        config = self._installation.config_health(self._desired)
        return ProxyHealth(
            config=self._foreign.section(config) if self._foreign else config,
            template=self._installation.template_health(),
            upstream_updates=NO_RUNTIME_API,
            resolver=self._addresses.health(self._desired or EMPTY),
            notes=self._installation.notes(),
            contested=self._foreign.problem if self._foreign else "",
            certificates=self._certificates.section(),
            certificate_files=self._certificates.health(),
        )
