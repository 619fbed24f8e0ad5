"""What the gateway needs of a proxy that it drives, whatever its kind."""

from collections.abc import Callable, Sequence
from typing import Protocol

from drove_gateway.model.health import ProxyHealth
from drove_gateway.model.plan import Outcome, Plan
from drove_gateway.model.vocabulary import Topology


class Proxy(Protocol):
    """The driver of a proxy. It knows what it has applied."""

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """Return the way from what is applied to `desired`; `demands` are reasons to reload."""
        ...

    async def apply(self, plan: Plan) -> Outcome:
        """Carry out `plan`. Raises GatewayError; what was applied by then is remembered."""
        ...

    async def run(self, wake: Callable[[str], None]) -> None:
        """Do the housekeeping beside the applies until cancelled: drains, audits, file writing.

        `wake(reason)` makes the reconciler plan again, because the proxy differs from the desired
        state.
        """
        ...

    def distrust(self, reason: str) -> None:
        """Make the next plan read the proxy again instead of relying on earlier reads."""
        ...

    def health(self) -> ProxyHealth:
        """Return the proxy's sections of `/v1/health`, as of now."""
        ...
