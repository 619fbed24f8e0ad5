"""What the gateway needs of a proxy that it drives, whatever its kind."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from drove_gateway.model.health import ProxyHealth
from drove_gateway.model.plan import Outcome, Plan
from drove_gateway.model.vocabulary import App, Topology


class ServerState(msgspec.Struct, frozen=True):
    """A server as the proxy reports it now. What the proxy does not tell is None.

    `backend` is where it is, `address` is its IP address and port, `listed` the host:port that
    Drove lists for it, empty where it lists none. `state` is in the proxy's words, `up` says
    whether it gets new requests. `sessions` counts its running requests, `requests` and `errors`
    those since the proxy started, `changed` is for how many seconds it has been in its state or,
    where the proxy does not tell, how long ago the gateway changed it.
    """

    backend: str
    name: str
    address: str
    state: str
    up: bool
    listed: str = ""
    weight: int | None = None
    sessions: int | None = None
    requests: int | None = None
    errors: int | None = None
    changed: float | None = None


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

    async def servers(self, app: App) -> tuple[ServerState, ...] | None:
        """Return the servers that the proxy has for `app`, read now; None where it does not tell.

        Raises RuntimeApiError.
        """
        ...

    def health(self) -> ProxyHealth:
        """Return the proxy's sections of `/v1/health`, as of now."""
        ...
