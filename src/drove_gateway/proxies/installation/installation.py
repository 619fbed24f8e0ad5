"""Configuration generations: render, check, swap, reload, prove.

A generation is what the proxy serves after one reload. Every failure leaves the proxy with the
generation it had and, on disk, a file that it can start from.
"""

import asyncio
from collections.abc import Callable

import msgspec

from drove_gateway.model.errors import GenerationUnproven, ProxyError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.candidate import Candidate, Candidates, Render
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.proof import Ask, Prove
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.timings import Stages

# A reload of NGINX takes about five times its check (measured at 1,000 and 5,000 upstreams), so
# the check's own duration tells how long a proof may take before something is wrong.
_PROOF_BASE_SECONDS = 3.0
_PROOF_PER_CHECK_SECOND = 15.0
# A generation that was proven before answers at once; this is only to ask.
_ALREADY_SERVED_SECONDS = 0.2


class Installed(msgspec.Struct, frozen=True):
    """A generation that serves: what was rendered, and the seconds that each stage took.

    `reloaded` is False where the proxy already served exactly this. `topology` is what serves;
    `failed` names what of the desired one does not, because it is refused, and why.
    """

    rendered: Rendered
    seconds: tuple[tuple[str, float], ...]
    reloaded: bool
    topology: Topology
    failed: tuple[tuple[str, str], ...] = ()


class Generations:
    """Makes configuration generations of one proxy from one template."""

    def __init__(
        self,
        platform: Platform,
        template: TemplateFile,
        render: Render,
        *,
        delims: tuple[str, str],
        timeout: float,
        prove: Prove,
        ask: Ask,
        clock: Callable[[], float],
    ) -> None:
        self.platform = platform
        self.template = template
        self.current: Rendered | None = None
        self._written: Rendered | None = None
        self._candidates = Candidates(
            platform, template, render, delims=delims, timeout=timeout, clock=clock
        )
        self._timeout = timeout
        self._prove = prove
        self._ask = ask
        self._clock = clock
        self._changing = asyncio.Lock()
        config_file.discard_leftovers(platform.config)

    @property
    def template_problem(self) -> str:
        """What is wrong with the template on disk, empty when nothing is; the last good one is
        used meanwhile."""
        return self._candidates.template_problem

    def remember(self, topology: Topology) -> None:
        """An earlier run installed `topology`: its vhosts have a last good form."""
        self._candidates.good = topology

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:
        """What of `desired` the file has not, because it is refused, and why; it is tried again."""
        return self._candidates.failed(desired)

    def reachable(self, topology: Topology) -> Topology:
        """`topology`, with what is known to be refused at its last good form, or out."""
        return self._candidates.reachable(topology)

    async def install(self, topology: Topology, *, servers_by_api: bool = False) -> Installed:
        """Bring the proxy to `topology` by a reload, and prove it where the template allows.

        A vhost that the proxy's check refuses is left at its last good form, or out. When the
        proxy already serves exactly this text, nothing is reloaded; with `servers_by_api` neither
        when only its servers are others, which the caller changes. Raises RenderError,
        CheckRefused, CommandFailed, CommandTimeout, GenerationUnproven or another ProxyError; then
        the proxy serves what it served and the file is the one before.
        """
        async with self._changing:
            return await self._install(topology, Stages(self._clock), servers_by_api)

    async def write(self, topology: Topology) -> bool:
        """Bring only the file to `topology`, checked, without a reload: for the next restart.

        Gives whether the file changed. What a changed template makes is only written by a reload,
        which shows that it can be loaded. Raises RenderError, CheckRefused or another ProxyError;
        the file is then as before.
        """
        async with self._changing:
            if self.template.changed() or await self._is_written(topology):
                return False
            made = await self._candidates.make(topology, Stages(self._clock))
            if made.file is not None:
                await asyncio.to_thread(config_file.swap, made.file, self.platform.config)
            self._candidates.good, self._written = made.topology, made.rendered
        return made.file is not None

    async def drift(self) -> str:
        """How the file or the running proxy differs from the installed generation, or "".

        A proxy that does not answer is no drift: it is down, or being restarted, and will load
        the file.
        """
        async with self._changing:
            try:
                return await self._drift(self.current) if self.current else ""
            except ProxyError as error:
                return str(error)

    async def _drift(self, current: Rendered) -> str:
        config = self.platform.config
        if await asyncio.to_thread(config_file.read, config) != current.text:
            return f"{config} was changed by somebody else"
        if current.proof_url is None or self.platform.reload is None:
            return ""
        serving = await self._ask(current.proof_url)
        if serving is None or serving == current.generation:
            return ""
        return f"{self.platform.name} serves generation {serving}, not {current.generation}"

    async def _is_written(self, topology: Topology) -> bool:
        """Whether the file is as it was made for this very topology: then nothing is rendered."""
        if self._written is None or self._candidates.good is not topology:
            return False
        return await asyncio.to_thread(config_file.read, self.platform.config) == self._written.text

    async def _install(self, topology: Topology, stages: Stages, servers_by_api: bool) -> Installed:
        made = await self._candidates.make(topology, stages)
        reloaded = await self._needs_reload(made, servers_by_api=servers_by_api)
        previous: str | None = None
        if reloaded:
            previous = await asyncio.to_thread(config_file.read, self.platform.config)
        if made.file is not None:
            with stages.stage("swap"):
                await asyncio.to_thread(config_file.swap, made.file, self.platform.config)
        if reloaded:
            try:
                await self._reload(made.rendered, stages)
            except ProxyError as error:
                await self._restore(previous, error)
                raise
        self.current, self._candidates.good = made.rendered, made.topology
        self._written = made.rendered
        return Installed(
            made.rendered,
            tuple(stages.seconds),
            reloaded=reloaded and self.platform.reload is not None,
            topology=made.topology,
            failed=made.failed,
        )

    async def _reload(self, rendered: Rendered, stages: Stages) -> None:
        if self.platform.reload is None:
            return
        with stages.stage("reload"):
            await self.platform.reload()
        if rendered.proof_url is not None:
            patience = _PROOF_BASE_SECONDS + _PROOF_PER_CHECK_SECOND * stages.of("check")
            with stages.stage("prove"):
                await self._prove(
                    rendered.proof_url,
                    rendered.generation,
                    timeout=min(self._timeout, patience),
                )

    async def _needs_reload(self, made: Candidate, *, servers_by_api: bool) -> bool:
        if servers_by_api and await self._serves_but_for_servers(made.rendered):
            return False
        return made.file is not None or not await self._serves(made.rendered)

    async def _serves_but_for_servers(self, rendered: Rendered) -> bool:
        serving = await self._ask(rendered.proof_url) if rendered.proof_url else None
        return serving is not None and rendered.is_but_for_servers(serving)

    async def _serves(self, rendered: Rendered) -> bool:
        if rendered.proof_url is None:
            return self.current is not None and self.current.text == rendered.text
        try:
            await self._prove(
                rendered.proof_url, rendered.generation, timeout=_ALREADY_SERVED_SECONDS
            )
        except GenerationUnproven:
            return False
        return True

    async def _restore(self, previous: str | None, reason: ProxyError) -> None:
        """Put back the file that the proxy still runs, so that a restart finds it."""
        if previous is None:
            return
        config = self.platform.config
        try:
            candidate = await asyncio.to_thread(config_file.write_candidate, config, previous)
            await asyncio.to_thread(config_file.swap, candidate, config)
        except ProxyError as error:
            raise ProxyError(f"{reason}; nor can the file before be put back: {error}") from reason
