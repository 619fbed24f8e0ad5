"""Many gateways' Drove sides in one process, each with connections of its own.

python -m bench.rig.pollers GATEWAYS INTERVAL apps|everything URL… polls until it is ended. With
"everything" each change fetches all apps, as from controllers that ignore `?app=`. What they find
goes nowhere: only what controllers see of them counts. Gateways of a process share what they read
of equal responses, compressed ones too: a machine can neither hold a thousand copies of 100,000
servers nor unpack 6.6 MB two hundred times a second. Each gateway receives every byte itself.
"""

import asyncio
import gzip
import logging
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from typing import ClassVar, TypeVar

import aiohttp
import structlog

from drove_gateway.drove.client import ENDPOINTS, Controller
from drove_gateway.drove.excerpt import Hide, as_it_is
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing, Merge, Reading
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace, ping_limit
from drove_gateway.drove.session import Credentials, open_session
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import ControllerDown
from drove_gateway.model.vocabulary import Snapshot

# The defaults of the settings.
_PING_SECONDS = 2.0
_FULL_REFRESH_SECONDS = 60.0
_BURST_SECONDS = 0.5
_API_TIMEOUT = 10.0

_GZIP = b"\x1f\x8b"

T = TypeVar("T")


class SharedDecoder(EndpointsDecoder):
    """Reads a response, and merges an app, once for all gateways of the process."""

    packed: ClassVar[dict[bytes, Reading]] = {}
    readings: ClassVar[dict[bytes, Reading]] = {}
    merges: ClassVar[dict[bytes, Merge]] = {}

    def read_packed(self, packed: bytes) -> Reading:
        """Return the last reading of these very bytes, which are a body as it was sent."""
        return _shared(
            self.packed,
            packed,
            lambda: self.read(gzip.decompress(packed) if packed.startswith(_GZIP) else packed),
        )

    def read(self, body: bytes, hide: Hide = as_it_is) -> Reading:
        """Return the last reading of these very bytes, by any gateway."""
        return _shared(self.readings, body, lambda: super(SharedDecoder, self).read(body, hide))

    def merge(self, body: bytes, names: Collection[str], hide: Hide = as_it_is) -> Merge:
        """Return the last merge of these very bytes, by any gateway."""
        return _shared(
            self.merges, body, lambda: super(SharedDecoder, self).merge(body, names, hide)
        )


def _shared(known: dict[bytes, T], body: bytes, read: Callable[[], T]) -> T:
    if body not in known:
        fresh = read()
        known.clear()
        known[body] = fresh
    return known[body]


class SharedController(Controller):
    """A controller whose responses are read once for all gateways of the process."""

    _decoder = SharedDecoder("fleet")

    async def endpoints(self, decoder: EndpointsDecoder) -> EndpointsListing:
        """Fetch all apps. Raises ControllerDown when the response is not complete and good."""
        del decoder
        limit = aiohttp.ClientTimeout(total=_API_TIMEOUT)
        url = self._base + ENDPOINTS
        try:
            async with self._session.get(url, timeout=limit, raise_for_status=True) as response:
                packed = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise ControllerDown(str(error)) from error
        return self._decoder.keep(self._decoder.read_packed(packed))

    async def endpoints_of(
        self, names: frozenset[str], decoder: EndpointsDecoder
    ) -> tuple[EndpointsListing | None, bool]:
        """Fetch the apps of `names`."""
        del decoder
        return await super().endpoints_of(names, self._decoder)


class WholeController(SharedController):
    """A controller that is always requested to list everything."""

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
    kind = WholeController if sys.argv[3] == "everything" else SharedController
    asyncio.run(poll(int(sys.argv[1]), float(sys.argv[2]), kind, sys.argv[4:]))


if __name__ == "__main__":
    main()
