"""Detects what no one reported: another process, and changes made by others."""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.foreign_changes import ForeignChanges, undone_servers
from drove_gateway.proxies.runtime.desired import host_names
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.report import listed
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.watch import Watch

# Where one reply shows every server, they are read each second if that is cheap, and in a large
# cluster so seldom that it takes this share of the time.
_READING_SECONDS = 1.0
_READING_SHARE = 0.005
# Where the proxy is new to the gateway, an audit follows soon: after a reload a worker that
# leaves may have answered.
_SOON_SECONDS = 1.0


class Audit:
    """Compares the proxy's servers with what is desired, beside the applies, every `interval`
    seconds, or every second where one reply shows all of them."""

    def __init__(
        self,
        engine: Engine,
        watch: Watch,
        resolver: Resolver,
        foreign: ForeignChanges,
        *,
        interval: float,
        watch_interval: float,
        clock: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._engine = engine
        self._watch = watch
        self._resolver = resolver
        self._foreign = foreign
        self._watch_interval = watch_interval
        self._often = engine.adapter.abilities.reads_everything
        self._interval = min(_READING_SECONDS, interval) if self._often else interval
        self._pause = self._interval
        self._clock = clock
        self._log = log

    async def watch(
        self, desired: Callable[[], Topology | None], wake: Callable[[str], None]
    ) -> None:
        """Look at the process again and again, until cancelled; `wake` when something changed."""
        while True:
            await asyncio.sleep(self._watch_interval)
            try:
                async with self._engine.lock:
                    news = await self._watch.look()
            except RuntimeApiError:
                # The watch has noted and logged it; health says so until the API answers.
                continue
            if news and desired() is not None:
                wake(news)

    async def run(
        self, desired: Callable[[], Topology | None], wake: Callable[[str], None]
    ) -> None:
        """Read all servers again and again, until cancelled; `wake` when something differs."""
        while True:
            await self._until_due()
            if (topology := desired()) is None:
                continue
            begin = self._clock()
            try:
                await self.step(partial(_newest, desired, topology), wake)
            except RuntimeApiError as error:
                if not self._watch.problem:
                    self._log.write(
                        LogEvent.AUDIT_FAILED,
                        proxy=self._engine.adapter.name,
                        error=str(error),
                    )
            took = (self._clock() - begin) / _READING_SHARE if self._often else 0.0
            self._pause = max(self._interval, took)

    async def step(self, desired: Callable[[], Topology], wake: Callable[[str], None]) -> None:
        """One audit. Raises RuntimeApiError."""
        name = self._engine.adapter.name
        missed = self._engine.missing.keys()
        before = dict(self._engine.seen) if self._engine.known else {}
        loads = self._engine.loads
        drift = await self._engine.audit(desired)
        if before and loads == self._engine.loads:
            self._foreign.note(undone_servers(before, self._engine.seen, drift))
        self._resolver.retain(host_names(desired()))
        if drift:
            self._log.write(
                LogEvent.DRIFT_FOUND,
                proxy=name,
                servers=len(drift),
                first=f"{drift[0].backend}/{drift[0].name}: {drift[0].reason}",
            )
            backends = list(dict.fromkeys(change.backend for change in drift))
            wake(f"{listed(backends)}: servers in {name} differ from the cluster")
        elif gone := self._engine.missing.keys() - missed:
            noun = self._engine.adapter.backend_noun
            wake(f"{name} no longer has {noun} {listed(sorted(gone))}")

    async def _until_due(self) -> None:
        first_seen = self._watch.first_seen
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await first_seen.wait()
        if first_seen.is_set():
            first_seen.clear()
            await asyncio.sleep(min(_SOON_SECONDS, self._interval))


def _newest(desired: Callable[[], Topology | None], known: Topology) -> Topology:
    """What is desired after a while; once there was something, there is."""
    return desired() or known
