"""A proxy that is configured by its file alone: every change is a new generation."""

import asyncio
from collections.abc import Callable, Sequence

from drove_gateway.model.errors import GatewayError, RenderError
from drove_gateway.model.health import NO_RUNTIME_API, PENDING, ProxyHealth, Section
from drove_gateway.model.plan import Outcome, Plan, Step
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.installation import Generations
from drove_gateway.topology.topology_diff import TopologyDiff, reasons, topology_diff

_NAMED_IN_HEALTH = 5


class ReloadingProxy:
    """NGINX OSS, OpenResty, or HAProxy without a runtime API; satisfies `reconciler.Proxy`."""

    def __init__(self, generations: Generations, *, audit_interval: float) -> None:
        self._generations = generations
        self._audit_interval = audit_interval
        self._applied: Topology | None = None
        self._desired: Topology | None = None
        self._doubts: tuple[str, ...] = ("the gateway started",)
        self._config = PENDING
        self._template = PENDING

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """Any difference makes a new generation; so does every doubt, and every demand.

        A generation that already serves is recognised when it is installed, and not reloaded.
        """
        self._desired = desired
        found = topology_diff(self._applied, desired) if self._applied else TopologyDiff()
        return Plan(desired, reload=(*self._doubts, *demands, *reasons(found)))

    async def apply(self, plan: Plan) -> Outcome:
        """Install the plan's generation. Raises RenderError or ProxyError; then nothing changed."""
        if not plan.reload:
            return Outcome()
        try:
            installed = await self._generations.install(plan.desired)
        except GatewayError as error:
            self._failed(error)
            raise
        self._applied, self._doubts = installed.topology, ()
        self._config = Section()
        self._template = template_section(self._generations)
        name = self._generations.platform.name
        action = "reload" if installed.reloaded else "keep"
        return Outcome(
            steps=tuple(Step(action, name, reason) for reason in plan.reload),
            failed=installed.failed,
            seconds=installed.seconds,
        )

    async def run(self, wake: Callable[[str], None]) -> None:
        """Audit: the file on disk and the generation that answers must be the installed ones."""
        while True:
            await asyncio.sleep(self._audit_interval)
            drift = await self._generations.drift()
            if drift and drift not in self._doubts:
                self.distrust(drift)
                wake(drift)

    def distrust(self, reason: str) -> None:
        """Install the generation again, unless it proves to serve."""
        if reason not in self._doubts:
            self._doubts = (*self._doubts, reason)

    def health(self) -> ProxyHealth:
        return ProxyHealth(
            config=config_section(self._config, self._generations, self._desired),
            template=self._template,
            upstream_updates=NO_RUNTIME_API,
        )

    def _failed(self, error: GatewayError) -> None:
        problem = Section(healthy=False, message=str(error))
        if isinstance(error, RenderError):
            self._template = problem
            return
        self._template = template_section(self._generations)
        self._config = problem


def config_section(section: Section, generations: Generations, desired: Topology | None) -> Section:
    """The configuration's section of health: `section`, or the vhosts that are refused."""
    failed = generations.failed(desired) if desired is not None and section.healthy else ()
    if not failed:
        return section
    named = "; ".join(f"{name} is {why}" for name, why in failed[:_NAMED_IN_HEALTH])
    more = len(failed) - _NAMED_IN_HEALTH
    return Section(healthy=False, message=f"{named}{f'; and {more} more' if more > 0 else ''}")


def template_section(generations: Generations) -> Section:
    """The template's section of health: its problem where a last good one stands in for it."""
    problem = generations.template_problem
    return Section(healthy=not problem, message=problem or "OK")
