"""The hash of the desired state, kept so that each request costs what changed since the last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from drove_gateway.model.vocabulary import Topology
from drove_gateway.status.status import Status
from drove_gateway.topology.fingerprint import NO_FINGERPRINT, Fingerprint, fingerprint

_SECONDS = 5.0


class DesiredHash:
    """Computes the hash of the latest desired state; may be called from threads."""

    def __init__(self) -> None:
        self._known: tuple[Topology | None, Fingerprint] = (None, NO_FINGERPRINT)

    def of(self, topology: Topology) -> str:
        """Return the hash of `topology`."""
        known, latest = self._known
        if topology is not known:
            latest = fingerprint(topology, latest)
            # Two threads may both come here: topology and hash are replaced together.
            self._known = (topology, latest)
        return latest.text

    @asynccontextmanager
    async def kept_warm(self, current: Callable[[], Status]) -> AsyncIterator[None]:
        """Follow the status in a thread, so that the first request does not compute everything."""
        task = asyncio.create_task(self._follow(current))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _follow(self, current: Callable[[], Status]) -> None:
        while True:
            await asyncio.to_thread(self.of, current().built.topology)
            await asyncio.sleep(_SECONDS)
