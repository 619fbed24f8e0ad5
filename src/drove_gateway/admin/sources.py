"""What the routes read: the status, the metrics, and the proxy itself."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import msgspec

from drove_gateway.admin.desired_hash import DesiredHash
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import GatewayError
from drove_gateway.model.proxy import ServerState
from drove_gateway.model.records import ApplyRecord
from drove_gateway.model.vocabulary import App
from drove_gateway.state.journal import Journal
from drove_gateway.status.explanation import Reading
from drove_gateway.status.status import Status

# A proxy that hangs delays a page for this long until its silence is known, and no apply.
_SECONDS = 1.0


class Sources(msgspec.Struct, frozen=True):
    """`current` returns the latest status, `backend_names` the proxy's names for what serves an
    app, `servers` what the proxy has of an app now (None: it does not tell). `journal` is the
    history, `desired_hash` computes the hash of what is desired."""

    current: Callable[[], Status]
    metrics: Metrics
    backend_names: Callable[[App], Iterable[str]]
    servers: Callable[[App], Awaitable[tuple[ServerState, ...] | None]]
    journal: Journal
    desired_hash: DesiredHash = msgspec.field(default_factory=DesiredHash)

    def past(self, status: Status) -> tuple[ApplyRecord, ...]:
        """Return the applies that are older than the history of `status`, newest first.

        They are decoded, which takes milliseconds: not for the event loop.
        """
        known = {record.at for record in status.history}
        return tuple(record for record in self.journal.records() if record.at not in known)

    async def readings(self, status: Status, vhosts: Iterable[str]) -> Mapping[str, Reading]:
        """Ask the proxy for the servers of `vhosts`, within a limit of time for all of them."""
        found: dict[str, Reading] = {}
        deadline = asyncio.get_running_loop().time() + _SECONDS
        for vhost in vhosts:
            app = status.applied.apps.get(vhost) or status.built.topology.apps.get(vhost)
            if app is not None:
                found[vhost] = await self._reading(app, deadline)
        return found

    async def _reading(self, app: App, deadline: float) -> Reading:
        try:
            async with asyncio.timeout_at(deadline):
                return Reading(await self.servers(app))
        except TimeoutError:
            return Reading(problem=f"the proxy did not respond within {_SECONDS:.0f} s")
        except (GatewayError, OSError) as error:
            return Reading(problem=str(error))
