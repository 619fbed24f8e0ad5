"""Many gateways' Drove sides in one process, each with connections of its own.

python -m bench.rig.pollers GATEWAYS INTERVAL apps|everything URL… polls until it is ended. With
"everything" each change fetches all apps, as from controllers that ignore `?app=`. What they find
goes nowhere: only what controllers see of them counts.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack

import structlog

from drove_gateway.drove.client import Controller
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace, ping_limit
from drove_gateway.drove.session import Credentials, open_session
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.vocabulary import Snapshot

# The defaults of the settings.
_PING_SECONDS = 2.0
_FULL_REFRESH_SECONDS = 60.0
_BURST_SECONDS = 0.5
_API_TIMEOUT = 10.0


class WholeController(Controller):
    """A controller whose apps are not requested by name."""

    async def endpoints_of(
        self, names: frozenset[str], decoder: EndpointsDecoder
    ) -> tuple[EndpointsListing | None, bool]:
        """Say that names are ignored, without a request."""
        del names, decoder
        return None, True


async def poll(gateways: int, interval: float, kind: type[Controller], urls: Sequence[str]) -> None:
    """Run so many watches, all started at once."""
    metrics = Metrics(["fleet"])
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        for _ in range(gateways):
            session = await stack.enter_async_context(
                open_session(Credentials(), tls_skip_verify=True)
            )
            controllers = [
                kind(
                    url,
                    namespace="fleet",
                    session=session,
                    credentials=Credentials(),
                    api_timeout=_API_TIMEOUT,
                    ping_timeout=ping_limit(_PING_SECONDS, _API_TIMEOUT),
                )
                for url in urls
            ]
            watch = NamespaceWatch(
                "fleet",
                controllers,
                pace=PollPace(_PING_SECONDS, interval, _FULL_REFRESH_SECONDS, _BURST_SECONDS),
                accept=_accept_all,
                publish=lambda _: None,
                metrics=metrics,
                log=EventLog(structlog.get_logger()),
            )
            tasks.create_task(watch.run())


async def _accept_all(_: Snapshot) -> bool:
    return True


def main() -> None:
    """Poll."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    kind = WholeController if sys.argv[3] == "everything" else Controller
    asyncio.run(poll(int(sys.argv[1]), float(sys.argv[2]), kind, sys.argv[4:]))


if __name__ == "__main__":
    main()
