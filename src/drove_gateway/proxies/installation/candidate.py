"""Configurations that pass the proxy's check: rendered beside the target, with all that passes.

A template that fails is replaced by the last good template, a vhost that is refused by its last
good form. Other failures (no program to check with, no time, no space) are raised at once.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from drove_gateway.gotemplate import Template
from drove_gateway.model.errors import CheckRefused, RenderError
from drove_gateway.model.plan import ApplyStage
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation import blame, config_file
from drove_gateway.proxies.installation.check import check
from drove_gateway.proxies.installation.licence import may_leave_out
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.refusals import Refusals
from drove_gateway.proxies.installation.refused_line import TemplateSource
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.installation.rendering import Renderer, to_the_end
from drove_gateway.proxies.installation.subprocess_runner import last_lines
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.timings import Timings

_LONGEST_REASON = 400


class Candidate(msgspec.Struct, frozen=True):
    """A configuration that passed. `file` holds it, None where the target is equal to it.

    `topology` is what it serves; `failed` names the parts of the desired topology that it does not
    serve, each with the reason.
    """

    rendered: Rendered
    file: Path | None
    topology: Topology
    failed: tuple[tuple[str, str], ...]


class CandidateBuilder:
    """Builds candidates from one template for one proxy.

    `template_problem` says what is wrong with the template on disk, empty when nothing is; the
    last good template is used meanwhile. `good` is the topology that was installed last.
    """

    def __init__(
        self,
        platform: Platform,
        template: TemplateFile,
        renderer: Renderer,
        *,
        delims: tuple[str, str],
        timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self.template_problem = ""
        self.good: Topology | None = None
        self._platform = platform
        self._template = template
        self._renderer = renderer
        self._delims = delims
        self._timeout = timeout
        self._clock = clock
        self._refusals = Refusals(clock)

    @property
    def interpreted_because(self) -> str:
        """Why the last rendering was slow, empty when it was not: see `Template`."""
        return self._renderer.interpreted_because

    def reachable(self, desired: Topology) -> Topology:
        """Return `desired`, with what is known to be refused at its last good form, or out."""
        return self._refusals.without(desired, self.good)

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:
        """Return the parts of `desired` that are refused, with reasons; they are as in `good`."""
        return self._refusals.failed(desired, self.good)

    async def build(self, desired: Topology, timings: Timings) -> Candidate:
        """Render and check. Raises RenderError, CheckRefused or another ProxyError when nothing
        can be installed; then nothing is left beside the target."""
        if self._template.changed():
            self._refusals.forget()
        topology = self.reachable(desired)
        try:
            rendered, file = await self._by_best_template(topology, timings)
        except (RenderError, CheckRefused) as error:
            with timings.stage(ApplyStage.BLAME):
                topology = await self._without_culprits(topology, error)
            rendered, file = await self._by_best_template(topology, timings)
        self._refusals.settle(topology)
        return Candidate(rendered, file, topology, self._refusals.failed(desired, topology))

    async def _by_best_template(
        self, topology: Topology, timings: Timings
    ) -> tuple[Rendered, Path | None]:
        """Use the newest template, or the last good template when that fails."""
        good = self._template.good
        newest: Template | None = None
        try:
            template = newest = await to_the_end(self._template.newest)
            checked = await self._render_and_check(template, topology, timings)
        except (RenderError, CheckRefused) as error:
            if good is None or newest is good:
                self.template_problem = str(error) if isinstance(error, RenderError) else ""
                raise
            checked = await self._render_and_check(good, topology, timings)
            self.template_problem = f"{error}; the last good template is used instead"
        else:
            self._template.accept(newest)
            self.template_problem = ""
        return checked

    async def _usable_template(self) -> Template:
        if self._template.good is not None:
            return self._template.good
        return await to_the_end(self._template.newest)

    async def _without_culprits(
        self, topology: Topology, error: RenderError | CheckRefused
    ) -> Topology:
        """Return the largest part of `topology` that passes. Raises `error` when the reason is not
        a vhost."""
        template = await self._usable_template()

        async def refusal(attempt: Topology) -> str:
            try:
                rendered = await self._renderer.rendered(template, attempt)
                file = await self._write_and_check(rendered, Timings(self._clock))
            except (RenderError, CheckRefused) as refused:
                return _reason(refused)
            config_file.discard(file)
            return ""

        result = await blame.search(self.good, topology, _reason(error), refusal)
        if result is None or not await self._may_leave_out(topology, result.topology):
            raise _without_memory(error) if self.good is None else error
        if not await refusal(topology):
            # The reason was not a vhost, and it is gone.
            return topology
        self._refusals.note(result, topology, self.good)
        return result.topology

    async def _may_leave_out(self, desired: Topology, remaining: Topology) -> bool:
        if self.good is not None:
            return True
        present = await asyncio.to_thread(config_file.read, self._platform.config)
        return may_leave_out(present or "", desired, remaining)

    async def _render_and_check(
        self, template: Template, topology: Topology, timings: Timings
    ) -> tuple[Rendered, Path | None]:
        with timings.stage(ApplyStage.RENDER):
            rendered = await self._renderer.rendered(template, topology)
        config = self._platform.config
        if await asyncio.to_thread(config_file.read, config) == rendered.text:
            return rendered, None
        return rendered, await self._write_and_check(rendered, timings)

    async def _write_and_check(self, rendered: Rendered, timings: Timings) -> Path:
        config = self._platform.config
        with timings.stage(ApplyStage.WRITE):
            file = await asyncio.to_thread(config_file.write_candidate, config, rendered.text)
        source = TemplateSource(self._template.path.name, self._template.source, self._delims)
        try:
            with timings.stage(ApplyStage.CHECK):
                await check(self._platform, file, rendered.text, source, timeout=self._timeout)
        except BaseException:
            config_file.discard(file)
            raise
        return file


def _without_memory(error: RenderError | CheckRefused) -> RenderError | CheckRefused:
    """Return `error` with what follows from it where nothing is known to be good."""
    text = (
        f"{error}; no earlier configuration is known to be good, so nothing is left out: the file "
        "and the traffic stay as they are until this is repaired"
    )
    if isinstance(error, CheckRefused):
        return CheckRefused(text, output=error.output, line=error.line)
    return RenderError(text)


def _reason(error: RenderError | CheckRefused) -> str:
    """Return what an error says about a vhost, without what it says about the whole file."""
    reason = last_lines(error.output, _LONGEST_REASON) if isinstance(error, CheckRefused) else ""
    return reason or str(error)
