"""Keeps the configuration file equal to the runtime changes, for HAProxy's next start."""

import asyncio

from structlog.typing import FilteringBoundLogger

from drove_gateway.model.errors import GatewayError, RenderError
from drove_gateway.model.health import PENDING, Section
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.installation import Generations
from drove_gateway.proxies.installation.reloading import template_section

# Changes that follow one another are written once.
_QUIET_SECONDS = 0.5


class ConfigFile:
    """Writes the file behind the applies, one version for many changes.

    `lock` is held while the file is written; a reload takes it as well. `config` and `template`
    are the file's sections of health. As long as a reload fails, the file stays the one that
    HAProxy runs with: the new one may pass its check and still not be one to start from.
    """

    def __init__(self, generations: Generations, log: FilteringBoundLogger) -> None:
        self.lock = asyncio.Lock()
        self.config = PENDING
        self.template = PENDING
        self._generations = generations
        self._log = log
        self._wanted: Topology | None = None
        self._due = asyncio.Event()
        self._reload_failed = False

    def want(self, topology: Topology) -> None:
        """Have the file written for `topology` soon."""
        self._wanted = topology
        self._due.set()

    async def run(self) -> None:
        """Write what is wanted, until cancelled; what is wanted then is still written."""
        try:
            while True:
                await self._due.wait()
                await asyncio.sleep(_QUIET_SECONDS)
                await self.write()
        finally:
            await self.write()

    async def write(self) -> None:
        """Write the file as it is wanted, checked. A failure stands in health and log."""
        async with self.lock:
            topology, self._wanted = self._wanted, None
            self._due.clear()
            if topology is None or self._reload_failed:
                return
            try:
                written = await self._generations.write(topology)
            except GatewayError as error:
                self.failed(error)
                self._log.error(
                    "the configuration file could not be written for HAProxy's next start",
                    error=str(error),
                )
            else:
                self.succeeded()
                if written:
                    self._log.debug("configuration file written for HAProxy's next start")

    def reloaded(self) -> None:
        """A reload has just written the file for the newest topology."""
        self._wanted = None
        self._due.clear()
        self._reload_failed = False
        self.succeeded()

    def reload_failed(self, error: GatewayError) -> None:
        """A reload failed and is tried again; the file is the one before."""
        self._reload_failed = True
        self.failed(error)

    def succeeded(self) -> None:
        """The file is as wanted, perhaps by the last good template or without a refused vhost."""
        self.config = Section()
        self.template = template_section(self._generations)

    def failed(self, error: GatewayError) -> None:
        """The file is as it was before."""
        section = Section(healthy=False, message=str(error))
        if isinstance(error, RenderError):
            self.template = section
        else:
            self.template = template_section(self._generations)
            self.config = section
