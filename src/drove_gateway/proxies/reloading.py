"""A proxy that is configured by its file alone: every change is a new generation."""

from collections.abc import Callable, Sequence

from drove_gateway.diff import difference, reasons
from drove_gateway.errors import CheckRefused, GatewayError, RenderError
from drove_gateway.model import Topology
from drove_gateway.plan import Outcome, Plan, Step
from drove_gateway.proxies.generation import Generations
from drove_gateway.status import NO_RUNTIME_API, PENDING, ProxyHealth, Section


class ReloadingProxy:
    """NGINX OSS, OpenResty, or HAProxy without a runtime API; satisfies `reconciler.Proxy`."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._applied: Topology | None = None
        self._config = PENDING
        self._template = PENDING

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """Any difference reloads; so does a first topology, and every demand."""
        if self._applied is None:
            return Plan(desired, reload=("the gateway started", *demands))
        found = difference(self._applied, desired)
        return Plan(desired, reload=(*demands, *reasons(found)))

    async def apply(self, plan: Plan) -> Outcome:
        """Install the plan's generation. Raises RenderError or ProxyError; then nothing changed."""
        if not plan.reload:
            return Outcome()
        try:
            installed = await self._generations.install(plan.desired)
        except GatewayError as error:
            self._failed(error)
            raise
        self._applied = plan.desired
        self._config = Section()
        self._template = template_section(self._generations)
        name = self._generations.platform.name
        action = "reload" if installed.reloaded else "keep"
        return Outcome(
            steps=tuple(Step(action, name, reason) for reason in plan.reload),
            seconds=installed.seconds,
        )

    async def run(self, wake: Callable[[str], None]) -> None:
        """Nothing to keep house of: the file is all there is."""

    def health(self) -> ProxyHealth:
        return ProxyHealth(
            config=self._config, template=self._template, upstream_updates=NO_RUNTIME_API
        )

    def _failed(self, error: GatewayError) -> None:
        problem = Section(healthy=False, message=str(error))
        if isinstance(error, RenderError):
            self._template = problem
            return
        self._template = template_section(self._generations)
        self._config = problem


def template_section(generations: Generations) -> Section:
    """The template's section of health: its problem where a last good one stands in for it."""
    problem = generations.template_problem
    return Section(healthy=not problem, message=problem or "OK")


def failure_is_the_configurations(error: GatewayError) -> bool:
    """Whether trying again unchanged would fail again: the text itself is refused."""
    return isinstance(error, (RenderError, CheckRefused))
