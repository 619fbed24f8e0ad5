"""Configurations that pass the proxy's check: rendered beside the target, for as much as passes.

A template that fails is replaced by the last good one, a vhost that is refused by its last good
form. What fails for another reason (no program to check with, no time, no space) is raised at once.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

import msgspec

from drove_gateway.gotemplate import Template
from drove_gateway.model.errors import CheckRefused, CommandFailed, RenderError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation import blame, config_file
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.refusals import Refusals
from drove_gateway.proxies.installation.refused_line import refused_line, whence
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.installation.subprocess_runner import last_lines, run
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.timings import Stages

Render = Callable[[Template, Topology], Rendered]
_MOST_SAID = 400


class Candidate(msgspec.Struct, frozen=True):
    """A configuration that passed. `file` holds it, None where the target is equal to it.

    `topology` is what it serves, and `failed` what of the desired one it does not, with reasons.
    """

    rendered: Rendered
    file: Path | None
    topology: Topology
    failed: tuple[tuple[str, str], ...]


class Candidates:
    """Makes candidates from one template for one proxy.

    `template_problem` says what is wrong with the template on disk, empty when nothing is; the
    last good one is used meanwhile. `good` is the topology that was installed last.
    """

    def __init__(
        self,
        platform: Platform,
        template: TemplateFile,
        render: Render,
        *,
        delims: tuple[str, str],
        timeout: float,
        clock: Callable[[], float],
    ) -> None:
        self.template_problem = ""
        self.good: Topology | None = None
        self._platform = platform
        self._template = template
        self._render = render
        self._delims = delims
        self._timeout = timeout
        self._clock = clock
        self._refusals = Refusals(clock)

    def reachable(self, desired: Topology) -> Topology:
        """`desired`, with what is known to be refused at its last good form, or out."""
        return self._refusals.without(desired, self.good)

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:
        """What of `desired` is refused and stands as it was installed last, with reasons."""
        return self._refusals.failed(desired, self.good)

    async def make(self, desired: Topology, stages: Stages) -> Candidate:
        """Render and check. Raises RenderError, CheckRefused or another ProxyError when nothing
        can be installed; then nothing is left beside the target."""
        if self._template.changed():
            self._refusals.forget()
        topology = self.reachable(desired)
        try:
            rendered, file = await self._by_a_template(topology, stages)
        except (RenderError, CheckRefused) as error:
            with stages.stage("blame"):
                topology = await self._without_culprits(topology, error)
            rendered, file = await self._by_a_template(topology, stages)
        self._refusals.settle(topology)
        return Candidate(rendered, file, topology, self._refusals.failed(desired, topology))

    async def _by_a_template(
        self, topology: Topology, stages: Stages
    ) -> tuple[Rendered, Path | None]:
        """With the newest template, or with the last good one when that fails."""
        good = self._template.good
        newest: Template | None = None
        try:
            newest = self._template.newest()
            made = await self._checked(newest, topology, stages)
        except (RenderError, CheckRefused) as error:
            if good is None or newest is good:
                self.template_problem = str(error) if isinstance(error, RenderError) else ""
                raise
            made = await self._checked(good, topology, stages)
            self.template_problem = f"{error}; the last good template is used instead"
        else:
            self._template.accept(newest)
            self.template_problem = ""
        return made

    async def _without_culprits(
        self, topology: Topology, error: RenderError | CheckRefused
    ) -> Topology:
        """As much of `topology` as passes. Raises `error` when that is no vhost's fault."""
        template = self._template.good or self._template.newest()

        async def refusal(tried: Topology) -> str:
            try:
                rendered = self._render(template, tried)
                candidate = await self._written_and_checked(rendered, Stages(self._clock))
            except (RenderError, CheckRefused) as refused:
                return _said(refused)
            config_file.discard(candidate)
            return ""

        found = await blame.find(self.good, topology, _said(error), refusal)
        if found is None:
            raise error
        if not await refusal(topology):
            # What was wrong was no vhost, and it is over.
            return topology
        self._refusals.note(found, topology, self.good)
        return found.topology

    async def _checked(
        self, template: Template, topology: Topology, stages: Stages
    ) -> tuple[Rendered, Path | None]:
        with stages.stage("render"):
            rendered = self._render(template, topology)
        config = self._platform.config
        if await asyncio.to_thread(config_file.read, config) == rendered.text:
            return rendered, None
        return rendered, await self._written_and_checked(rendered, stages)

    async def _written_and_checked(self, rendered: Rendered, stages: Stages) -> Path:
        config = self._platform.config
        with stages.stage("write"):
            candidate = await asyncio.to_thread(config_file.write_candidate, config, rendered.text)
        try:
            with stages.stage("check"):
                await self._check(candidate, rendered)
        except BaseException:
            config_file.discard(candidate)
            raise
        return candidate

    async def _check(self, candidate: Path, rendered: Rendered) -> None:
        if self._platform.check is None:
            return
        command = self._platform.check(candidate)
        finished = await run(command, timeout=self._timeout)
        if finished.exit_code == 0:
            return
        output = finished.output.replace(str(candidate), str(self._platform.config))
        if finished.exit_code < 0:
            raise CommandFailed(
                f"`{' '.join(command)}` was ended by signal {-finished.exit_code}: it says "
                f"nothing about the configuration. {last_lines(output)}",
                output=output,
            )
        line = refused_line(output, self._platform.config)
        template = self._template
        place = whence(rendered.text, line, template.source, template.path.name, self._delims)
        raise CheckRefused(
            f"{self._platform.name} refuses the new configuration{place}, "
            f"{self._platform.config} stays as it is: {last_lines(output)}",
            output=output,
            line=line,
        )


def _said(error: RenderError | CheckRefused) -> str:
    """What an error says against a vhost, without what it says of the whole configuration."""
    said = last_lines(error.output, _MOST_SAID) if isinstance(error, CheckRefused) else ""
    return said or str(error)
