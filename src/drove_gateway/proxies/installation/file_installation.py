"""Installs configuration files: render, check, swap, reload, prove.

A generation is what the proxy serves after a reload. Every failure leaves the proxy with the
generation that it had, and on disk a file that it can start from.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from drove_gateway.model.errors import CheckRefused, GatewayError, ProxyError, RenderError
from drove_gateway.model.health import HealthSection, of_some
from drove_gateway.model.plan import ApplyStage
from drove_gateway.model.vocabulary import Topology
from drove_gateway.model.wording import first_and_more
from drove_gateway.proxies.installation import before as earlier_file
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.candidate import Candidate, CandidateBuilder
from drove_gateway.proxies.installation.generation_loader import GenerationLoader
from drove_gateway.proxies.installation.health import InstallationHealth
from drove_gateway.proxies.installation.installation import AtRuntime, InstallResult
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.proof import Ask, Prove
from drove_gateway.proxies.installation.render import Rendered, interpreted
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.template_functions import no_facts
from drove_gateway.proxies.installation.timings import Timings

_NAMED_IN_HEALTH = 5


def _silent(config: Path, copy: Path) -> None:
    """Announce nothing."""


def _unseen(before: str, after: str) -> None:
    """Nobody compares the configurations."""


class _Way(msgspec.Struct, frozen=True):
    """How an install may change the running proxy; see `Installation.install`."""

    at_runtime: AtRuntime | None
    may_reload: bool


class FileInstallation:
    """Installs what a template makes into a proxy's file; an `Installation`.

    `remembered` is the topology that an earlier run installed, where that is known: its vhosts have
    a last good form. `current` is the configuration that serves. `announce_copy` is called
    with a configuration file that someone else wrote, and the path at which it is kept. `replaced`
    gets the text of the file before and after each change of it. The file is rendered again when
    `facts` has another value. `health` takes the results.
    """

    enabled = True

    def __init__(
        self,
        platform: Platform,
        template: TemplateFile,
        renderer: Renderer,
        *,
        delims: tuple[str, str],
        timeout: float,
        prove: Prove,
        ask: Ask,
        clock: Callable[[], float],
        remembered: Topology | None = None,
        announce_copy: Callable[[Path, Path], None] = _silent,
        replaced: Callable[[str, str], None] = _unseen,
        facts: Callable[[], int] = no_facts,
        health: InstallationHealth | None = None,
    ) -> None:
        self.current: Rendered | None = None
        self.written: Rendered | None = None
        self.installed: Topology | None = None
        self._platform = platform
        self._template = template
        self._candidates = CandidateBuilder(
            platform, template, renderer, delims=delims, timeout=timeout, clock=clock
        )
        self._candidates.good = remembered
        self._loader = GenerationLoader(platform, timeout=timeout, prove=prove, ask=ask)
        self._clock = clock
        self._announce_copy = announce_copy
        self._replaced = replaced
        self._facts = facts
        self._facts_written = 0
        self._changing = asyncio.Lock()
        self._install_failed = False
        self._unchecked: Topology | None = None
        self._ahead = ""
        self._health = health or InstallationHealth()
        config_file.discard_leftovers(platform.config)

    def reload_reasons(self, reasons: Sequence[str]) -> tuple[str, ...]:
        return tuple(reasons)

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:
        """Return the parts of `desired` that the proxy refuses; they are retried."""
        return self._candidates.failed(desired)

    def reachable(self, desired: Topology) -> Topology:
        return self._candidates.reachable(desired)

    def config_health(self, desired: Topology | None) -> HealthSection:
        """Return the result of the last install or write, or the vhosts that are refused."""
        config = self._health.config
        failed = self.failed(desired) if desired is not None and config.healthy else ()
        if desired is None or not failed:
            return config
        reasons = [f"{name} is {why}" for name, why in failed]
        section = HealthSection(healthy=False, message=first_and_more(reasons, _NAMED_IN_HEALTH))
        return of_some(section, {name for name, _ in failed}, desired.apps)

    def template_health(self) -> HealthSection:
        return self._health.template

    def notes(self) -> tuple[str, ...]:
        copy, found = earlier_file.copy_of(self._platform.config), []
        if copy.exists():
            found.append(f"the file before drove-gateway is kept as {copy}")
        if self._template.waits():
            found.append(f"the template {self._template.path} has changed and waits for SIGHUP")
        return tuple(found)

    async def install(
        self, desired: Topology, at_runtime: AtRuntime | None = None, *, may_reload: bool = True
    ) -> InstallResult:
        """Install `desired`; a vhost that the proxy's check refuses stays at its last good form,
        or out."""
        async with self._changing:
            try:
                timings = Timings(self._clock)
                result = await self._install(desired, timings, _Way(at_runtime, may_reload))
            except GatewayError as error:
                self._install_failed = True
                self._report(error)
                raise
        self._install_failed, self._unchecked, self._ahead = False, None, ""
        self._report(None)
        return result

    async def hasten(self, desired: Topology, at_runtime: AtRuntime) -> InstallResult | None:
        """Act on the rendered text at runtime; `write` checks it and brings it to the file.

        Only where the proxy is known to serve the current text, perhaps with other servers and
        backends, and where nothing was refused before: that is checked before it gets traffic.
        """
        current, template = self.current, self._candidates.templates.good
        uncertain = self._install_failed or self._ahead or self._template.changed()
        if current is None or template is None or uncertain or self.failed(desired):
            return None
        timings = Timings(self._clock)
        try:
            rendered = await self._candidates.rendered(template, desired, timings)
        except RenderError:
            return None
        if not rendered.is_except_for_runtime(current.generation):
            return None
        with timings.stage(ApplyStage.SERVERS):
            if await at_runtime.bring(current.bare, rendered.bare):
                return None
        self.current, self.installed, self._unchecked = rendered, desired, desired
        return InstallResult(self._platform.name, desired, seconds=timings.seconds)

    def ahead(self) -> str:
        return self._ahead

    async def write(self, desired: Topology) -> bool:
        """Bring only the file to `desired`, checked.

        While an install is failing, the file stays as the proxy loaded it: the new text may pass
        the check although the proxy cannot start from it. A changed template is only written by an
        install, whose reload shows that the proxy can load the result.
        """
        # What is acted on while this waits is not in `desired`.
        unchecked = self._unchecked
        async with self._changing:
            if self._install_failed or self._template.changed():
                return False
            try:
                written = await self._write(desired)
            except GatewayError as error:
                self._note_refusals(unchecked, error)
                self._report(error)
                raise
            self._note_refusals(unchecked, None)
        self._report(None)
        return written

    @property
    def failing(self) -> bool:
        return self._install_failed

    def forget_failure(self) -> None:
        """Take that nothing is to be installed any more: what failed was withdrawn."""
        self._install_failed = False
        self._report(None)

    def forget_served(self) -> None:
        """Take that it is not known what the proxy serves.

        A template without a generation mark cannot tell, so the next install reloads.
        """
        self.current = None

    async def drift(self) -> str:
        """Return how the file or the running proxy differs from the installed generation.

        A proxy that does not respond has not drifted: it is down, or being restarted, and will load
        the file.
        """
        async with self._changing:
            try:
                return await self._drift(self.current) if self.current else ""
            except ProxyError as error:
                return str(error)

    async def _drift(self, current: Rendered) -> str:
        config = self._platform.config
        if await asyncio.to_thread(config_file.read, config) != current.text:
            return f"{config} was changed by another program or manually"
        return await self._loader.drift(current)

    async def _write(self, desired: Topology) -> bool:
        facts = self._facts()
        known = facts == self._facts_written
        if known and await self._is_written(desired):
            return False
        candidate = await self._candidates.build(desired, Timings(self._clock))
        await self._swap(candidate)
        self._candidates.accept(candidate)
        self.written, self._facts_written = candidate.rendered, facts
        return candidate.file is not None

    def _note_refusals(self, unchecked: Topology | None, error: GatewayError | None) -> None:
        """After a write that followed the runtime changes up to `unchecked`, find out whether the
        check refused what the proxy already has."""
        if self.installed is None or unchecked is None:
            return
        failed = self._candidates.failed(self.installed)
        if isinstance(error, CheckRefused | RenderError):
            self._ahead = str(error)
        elif failed:
            self._ahead = "; ".join(f"{name} is {why}" for name, why in failed)
        elif error is None and self._unchecked is unchecked:
            self._unchecked = None

    async def _is_written(self, topology: Topology) -> bool:
        """Whether the file is as it was made for this very topology: then nothing is rendered."""
        if self.written is None or self._candidates.good is not topology:
            return False
        text = await asyncio.to_thread(config_file.read, self._platform.config)
        return text == self.written.text

    async def _install(self, desired: Topology, timings: Timings, way: _Way) -> InstallResult:
        candidate = await self._candidates.build(desired, timings)
        try:
            return await self._bring(candidate, timings, way)
        except ProxyError as error:
            another = await self._candidates.build_another(
                desired, candidate, error, timings, self._try_to_load
            )
        try:
            return await self._bring(another, timings, way)
        except ProxyError:
            self._candidates.templates.forgive()
            raise

    async def _bring(self, candidate: Candidate, timings: Timings, way: _Way) -> InstallResult:
        """Put `candidate` in the target's place and have it loaded. After a ProxyError, both are as
        they were."""
        previous = await asyncio.to_thread(config_file.read, self._platform.config)
        result = InstallResult(self._platform.name, candidate.topology, failed=candidate.failed)
        try:
            why = await self._reload_reason(candidate, way.at_runtime, previous or "")
        except BaseException:
            self._discard(candidate)
            raise
        if why is not None and not way.may_reload:
            self._discard(candidate)
            return msgspec.structs.replace(result, needs_reload=True, first_line=why)
        if candidate.file is not None:
            with timings.stage(ApplyStage.SWAP):
                await self._swap(candidate)
        if why is not None:
            await self._load(candidate.rendered, previous, timings)
        self.current = self.written = candidate.rendered
        self.installed = candidate.topology
        self._candidates.accept(candidate)
        await asyncio.to_thread(self._template.keep)
        reloaded = why is not None and self._platform.reload is not None
        return msgspec.structs.replace(
            result, reloaded=reloaded, first_line=why or "", seconds=timings.seconds
        )

    async def _load(self, rendered: Rendered, previous: str | None, timings: Timings) -> None:
        try:
            await self._loader.load(rendered, timings)
        except ProxyError as error:
            await self._restore(previous, rendered.text, error)
            raise

    async def _swap(self, candidate: Candidate) -> None:
        if candidate.file is not None:
            before = await asyncio.to_thread(self._replace, candidate.file)
            self._replaced(before, candidate.rendered.text)

    def _discard(self, candidate: Candidate) -> None:
        if candidate.file is not None:
            config_file.discard(candidate.file)

    def _replace(self, file: Path) -> str:
        """Replace the target by `file`, once the target is kept where others wrote it; return the
        text of the target before."""
        config = self._platform.config
        try:
            before = config_file.read(config)
            if before and earlier_file.should_be_kept(config, before):
                copy = earlier_file.keep(config, before)
                self._announce_copy(config, copy)
            config_file.swap(file, config, in_place=self._platform.in_place)
            return before or ""
        finally:
            config_file.discard(file)

    async def _try_to_load(self, rendered: Rendered) -> None:
        """Have `rendered` loaded. After a ProxyError, the target is as it was."""
        config = self._platform.config
        previous = await asyncio.to_thread(config_file.read, config)
        file = await asyncio.to_thread(config_file.write_candidate, config, rendered.text)
        self._replaced(await asyncio.to_thread(self._replace, file), rendered.text)
        try:
            await self._loader.load(rendered, Timings(self._clock))
        except ProxyError as error:
            await self._restore(previous, rendered.text, error)
            raise

    async def _reload_reason(
        self, candidate: Candidate, at_runtime: AtRuntime | None, previous: str
    ) -> str | None:
        """Return None where no reload is needed, or else the line that needs it, if known."""
        rendered = candidate.rendered
        if at_runtime is None:
            return "" if candidate.file is not None or await self._is_new(rendered) else None
        # The file may not have followed the last changes at runtime yet.
        before = (
            self.current.bare
            if self.current
            else await asyncio.to_thread(earlier_file.without_generation, previous)
        )
        after = rendered.bare
        if await self._loader.serves_except_for_runtime(rendered):
            return await at_runtime.bring(before, after) or None
        if candidate.file is not None or await self._is_new(rendered):
            return at_runtime.first_line(before, after)
        return None

    async def _is_new(self, rendered: Rendered) -> bool:
        """Whether the proxy does not serve `rendered`, which is what the file has."""
        if rendered.proof_url is None:
            return self.current is None or self.current.text != rendered.text
        return not await self._loader.serves(rendered.proof_url, rendered.generation)

    async def _restore(self, previous: str | None, failed: str, reason: ProxyError) -> None:
        """Put back the file that the proxy still runs with, so that a restart finds it."""
        if previous is None:
            return
        config = self._platform.config
        try:
            file = await asyncio.to_thread(config_file.write_candidate, config, previous)
            await asyncio.to_thread(
                config_file.swap, file, config, in_place=self._platform.in_place
            )
            self._replaced(failed, previous)
        except ProxyError as error:
            cause = getattr(error.__cause__, "strerror", None) or error
            raise ProxyError(
                f"{reason}; the previous file cannot be restored either ({cause}), so {config} has "
                "what the proxy did not load, and would load at its next start; do not restart it "
                f"before this is repaired: check {config.parent}"
            ) from reason

    def _report(self, error: GatewayError | None) -> None:
        problem, slow = self._candidates.templates.problem, self._candidates.interpreted_because
        ok = f"OK: {interpreted(slow)}" if slow else "OK"
        template = HealthSection(healthy=not problem, message=problem or ok)
        self._health.report(error, template)
