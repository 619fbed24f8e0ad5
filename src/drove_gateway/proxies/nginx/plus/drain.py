"""Deletes servers that were put in drain, once they are idle or their time is over.

NGINX Plus still finishes the requests of a server that is deleted while it has some (it counts
such servers as `zombies`), so the deadline cuts nothing off.
"""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.nginx.plus.client import ApiCut, ApiRefused, Client
from drove_gateway.proxies.nginx.plus.gate import Gate
from drove_gateway.proxies.nginx.plus.kept import KeptUpstream
from drove_gateway.proxies.nginx.plus.parallel import each
from drove_gateway.proxies.nginx.plus.wire import Peer, canonical

# So many upstreams are asked one by one, more by the one answer that has them all.
FEW = 8
_PARALLEL = 8
_SHORTEST_PAUSE = 0.1
_LONGEST_PAUSE = 2.0
# Of the time, a tenth at most goes into reading answers that may be megabytes long.
_PAUSE_PER_READ = 10


def deletable(peers: Sequence[Peer], draining: Mapping[str, float], now: float) -> tuple[Peer, ...]:
    """The drained servers that may go: idle, or past their deadline."""
    return tuple(
        peer
        for peer in peers
        if not peer.backup
        and (deadline := draining.get(canonical(peer.server))) is not None
        and (deadline <= now or (peer.active == 0 and peer.state in {"draining", "down"}))
    )


class Sweeper:
    """Looks after the servers that are in drain."""

    def __init__(
        self,
        client: Client,
        gate: Gate,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._client = client
        self._gate = gate
        self._clock = clock
        self._log = log
        self._begun = asyncio.Event()
        self._read_seconds = 0.0
        self._astray = False

    def notice(self) -> None:
        """Servers may have been put in drain."""
        self._begun.set()

    async def run(
        self, upstreams: Callable[[], Collection[KeptUpstream]], wake: Callable[[str], None]
    ) -> None:
        """Sweep as long as there is something in drain, first often, then less so."""
        pause = _SHORTEST_PAUSE
        while True:
            if not any(one.draining for one in upstreams()):
                await self._begun.wait()
            reading = self._read_seconds * _PAUSE_PER_READ
            if await self._begins_within(max(pause, reading)):
                pause = _SHORTEST_PAUSE
                await asyncio.sleep(max(pause, reading))
            try:
                await self.sweep([one for one in upstreams() if one.draining])
            except RuntimeApiError as error:
                self._log.warning("drained servers are not deleted yet", reason=str(error))
            if self._astray:
                self._astray = False
                wake("NGINX Plus's servers were numbered anew")
            pause = min(pause * 2, _LONGEST_PAUSE)

    async def _begins_within(self, seconds: float) -> bool:
        """Wait for servers that are put in drain; gives whether there were some."""
        try:
            async with asyncio.timeout(seconds):
                await self._begun.wait()
        except TimeoutError:
            return False
        self._begun.clear()
        return True

    async def sweep(self, upstreams: Sequence[KeptUpstream]) -> None:
        """Delete what may go now. Raises ApiDown, or RuntimeApiError when nothing can be read."""
        begin = self._clock()
        statuses = await self._client.upstreams() if len(upstreams) > FEW else None
        self._read_seconds = self._clock() - begin

        async def sweep_one(kept: KeptUpstream) -> None:
            try:
                if statuses is None:
                    await self._delete(kept, await self._peers(kept))
                elif (status := statuses.get(kept.name)) is not None:
                    await self._delete(kept, status.peers)
                else:
                    kept.draining.clear()
            except (ApiRefused, ApiCut) as error:
                self._log.warning(
                    "drained servers are not deleted yet", upstream=kept.name, reason=str(error)
                )

        await each(upstreams, sweep_one, parallel=_PARALLEL)

    async def _peers(self, kept: KeptUpstream) -> Sequence[Peer]:
        try:
            return await self._client.peers(kept.name)
        except ApiRefused as error:
            if error.code == "UpstreamNotFound":
                return ()
            raise

    async def _delete(self, kept: KeptUpstream, peers: Sequence[Peer]) -> None:
        standing = {canonical(peer.server) for peer in peers}
        for server in [one for one in kept.draining if one not in standing]:
            del kept.draining[server]
        going = deletable(peers, kept.draining, self._clock())
        if not going:
            return
        async with kept.lock, self._gate.writing():
            for number, peer in enumerate(going, 1):
                if canonical(peer.server) in kept.draining:
                    await self._delete_one(kept, peer, going[number:])
        running = sum(peer.active for peer in going)
        self._log.debug(
            "drained servers deleted", upstream=kept.name, servers=len(going), running=running
        )

    async def _delete_one(self, kept: KeptUpstream, peer: Peer, following: Sequence[Peer]) -> None:
        server = canonical(peer.server)
        try:
            remaining = await self._client.delete(kept.name, peer.id)
        except ApiRefused as error:
            if error.code != "UpstreamServerNotFound":
                raise
            remaining = ()
        others = sum(canonical(one.server) == server for one in following)
        if sum(canonical(one.server) == server for one in remaining) > others:
            kept.due = kept.due or "its servers have other ids than a moment ago"
            self._astray = True
        elif not others:
            kept.draining.pop(server, None)
