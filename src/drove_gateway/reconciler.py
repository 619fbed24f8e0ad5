"""The loop that brings the proxy to the topology: order, pace, retries, and what is published."""

from collections.abc import Callable, Sequence
from typing import Protocol

from drove_gateway.model import Topology
from drove_gateway.plan import Outcome, Plan
from drove_gateway.status import ProxyHealth


class Proxy(Protocol):
    """What the reconciler needs of a proxy driver. The driver knows what it has applied."""

    def plan(self, desired: Topology, demands: Sequence[str] = ()) -> Plan:
        """The way from what is applied to `desired`; `demands` are reasons to reload anyway."""
        ...

    async def apply(self, plan: Plan) -> Outcome:
        """Carry out `plan`. Raises GatewayError; what was applied by then is remembered."""
        ...

    async def run(self, wake: Callable[[str], None]) -> None:
        """Housekeeping beside the applies, until cancelled: drains, audits, file rewriting.

        `wake(reason)` asks the reconciler to plan again, because the proxy is not as it should be.
        """
        ...

    def health(self) -> ProxyHealth:
        """The proxy's sections of `/v1/health`, as of now."""
        ...
