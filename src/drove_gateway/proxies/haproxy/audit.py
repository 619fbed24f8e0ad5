"""Notices by itself what nobody told: another process, and changes made by hand."""

import asyncio
from collections.abc import Callable

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.haproxy.rewrite import ConfigFile
from drove_gateway.proxies.haproxy.servers import Servers
from drove_gateway.proxies.haproxy.watch import Watch
from drove_gateway.proxies.runtime.resolver import Resolver

_WATCH_SECONDS = 0.5
# Every server is read again each second where that is cheap, and in a large cluster so seldom that
# it takes this share of the time.
_READING_SECONDS = 1.0
_READING_SHARE = 0.005


class Audit:
    """Compares HAProxy with what is desired, beside the applies.

    The servers are read every second, or every `interval` seconds if that is less; in a cluster so
    large that this took more than half a percent of the time, less often. Every `interval` seconds
    the file is written again where it is another one.
    """

    def __init__(
        self,
        servers: Servers,
        watch: Watch,
        resolver: Resolver,
        file: ConfigFile,
        *,
        interval: float,
        clock: Callable[[], float],
        log: FilteringBoundLogger,
    ) -> None:
        self._servers = servers
        self._watch = watch
        self._resolver = resolver
        self._file = file
        self._interval = interval
        self._clock = clock
        self._log = log
        self._next_reading = 0.0
        self._next_file = clock() + interval

    async def run(
        self, desired: Callable[[], Topology | None], wake: Callable[[str], None]
    ) -> None:
        """Look twice a second, until cancelled; `wake` when something is to be mended."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            topology = desired()
            if topology is not None:
                self._keep_file(topology)
            try:
                async with self._servers.lock:
                    news = await self._watch.look()
                if topology is not None and (news or self._is_due()):
                    await self._read_back(topology, news, wake)
            except RuntimeApiError:
                # The watch has noted and logged it; health says so until somebody answers.
                continue

    def _is_due(self) -> bool:
        return self._servers.seen is None or self._clock() >= self._next_reading

    async def _read_back(self, desired: Topology, news: str, wake: Callable[[str], None]) -> None:
        begin = self._clock()
        lacked = self._servers.lacking.keys()
        drift = await self._servers.audit(desired)
        self._resolver.retain({host.host for app in desired.apps.values() for host in app.hosts})
        if drift:
            self._log.warning(
                "HAProxy's servers are not as they should be",
                servers=len(drift),
                first=f"{drift[0].backend}/{drift[0].name}: {drift[0].reason}",
            )
        if gone := self._servers.lacking.keys() - lacked:
            news = news or f"HAProxy has {len(gone)} backends less"
        if drift or news:
            wake(news or f"{len(drift)} servers in HAProxy differ")
        self._plan_next(begin)

    def _keep_file(self, desired: Topology) -> None:
        now = self._clock()
        if now >= self._next_file:
            self._next_file = now + self._interval
            self._file.want(desired)

    def _plan_next(self, begin: float) -> None:
        now = self._clock()
        pause = min(_READING_SECONDS, self._interval)
        self._next_reading = now + max(pause, (now - begin) / _READING_SHARE)
