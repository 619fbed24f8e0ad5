"""Keeps the configuration file equal to the runtime changes, for the proxy's next start."""

import asyncio
from collections.abc import Callable

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import GatewayError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.installation import Installation

# Changes that follow each other are written together.
_QUIET_SECONDS = 0.5


class ConfigFile:
    """Writes the file after the applies, once for many changes.

    `lock` is held while the file is written; a reload takes it as well. `disagrees` gets the
    reason when the running proxy has something that the file cannot have, or has in another way,
    as `written` returns it after a write.
    """

    def __init__(
        self,
        installation: Installation,
        log: EventLog,
        disagrees: Callable[[str], None],
        written: Callable[[], str] = lambda: "",
    ) -> None:
        self.lock = asyncio.Lock()
        self._installation = installation
        self._log = log
        self._disagrees = disagrees
        self._written = written
        self._requested: Topology | None = None
        self._due = asyncio.Event()

    @property
    def behind(self) -> bool:
        """Whether the file is to be written, or is being written."""
        return self._requested is not None or self.lock.locked()

    def request(self, topology: Topology) -> None:
        """Write the file for `topology` soon."""
        self._requested = topology
        self._due.set()

    async def run(self) -> None:
        """Write the file when that is due, until cancelled; what is due then is still written."""
        try:
            while True:
                await self._due.wait()
                await asyncio.sleep(_QUIET_SECONDS)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Write the file if that is due, checked. A failure is shown in health and logged."""
        async with self.lock:
            topology, self._requested = self._requested, None
            self._due.clear()
            if topology is None:
                return
            try:
                written = await self._installation.write(topology)
            except GatewayError as error:
                self._log.write(LogEvent.FILE_NOT_WRITTEN, error=str(error))
            else:
                if written:
                    self._log.write(LogEvent.FILE_WRITTEN)
            if reason := self._installation.ahead() or self._written():
                self._disagrees(reason)

    def reloaded(self) -> None:
        """Note that a reload has just written the file for the newest topology."""
        self._requested = None
        self._due.clear()
