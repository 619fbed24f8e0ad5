"""Configurations that pass the proxy's check: rendered beside the target, with all that passes.

A template that fails is replaced by the last good template, a vhost that is refused by its last
good form. Other failures (no program to check with, no time, no space) are raised at once.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from drove_gateway.gotemplate import Template
from drove_gateway.model.errors import CheckRefused, CommandFailed, ProxyError, RenderError
from drove_gateway.model.plan import ApplyStage
from drove_gateway.model.vocabulary import EMPTY, Topology
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.blame import Part
from drove_gateway.proxies.installation.check import check
from drove_gateway.proxies.installation.culprits import MOST_TRIALS, find_culprits
from drove_gateway.proxies.installation.licence import may_leave_out
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.refusals import Refusals
from drove_gateway.proxies.installation.refused_line import TemplateSource
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.subprocess_runner import last_lines
from drove_gateway.proxies.installation.suspects import Refusal
from drove_gateway.proxies.installation.template_choice import TemplateChoice
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.timings import Timings

_LONGEST_REASON = 400
# Each trial by loading is a reload, or the attempt of one.
_MOST_LOADS = 24

Refused = RenderError | CheckRefused | CommandFailed
"""The errors that the contents of a configuration can cause."""

Load = Callable[[Rendered], Awaitable[None]]
"""Has the proxy load a configuration. Raises CommandFailed if it is refused."""


class Candidate(msgspec.Struct, frozen=True):
    """A configuration that passed. `file` holds it, None where the target is equal to it.

    `topology` is what it serves; `failed` names the parts of the desired topology that it does not
    serve, each with the reason. `template` made it.
    """

    rendered: Rendered
    file: Path | None
    topology: Topology
    failed: tuple[tuple[str, str], ...]
    template: Template


class CandidateBuilder:
    """Builds candidates from one template for one proxy.

    `good` is the topology that was installed last, and `templates` chooses the template.
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
        self.good: Topology | None = None
        self.templates = TemplateChoice(template, clock)
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
        """Return `desired`, with what is known to be refused in the form that passed, or out."""
        return self._refusals.without(desired)

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:
        """Return the parts of `desired` that are refused, with what is served, and the reasons."""
        return self._refusals.failed(desired)

    def accept(self, candidate: Candidate) -> None:
        """Remember that the proxy serves `candidate`, or will after its next start."""
        self.good = candidate.topology
        self.templates.accept(candidate.template)

    async def build(self, desired: Topology, timings: Timings) -> Candidate:
        """Render and check. Raises RenderError, CheckRefused or another ProxyError when nothing
        can be installed; then nothing is left beside the target."""
        if self._template.changed():
            self._refusals.forget()
        topology = self.reachable(desired)
        try:
            candidate = await self._by_best_template(topology, timings)
        except (RenderError, CheckRefused) as error:
            with timings.stage(ApplyStage.BLAME):
                topology = await self._without_culprits(topology, error, None)
            candidate = await self._by_best_template(topology, timings)
        return self._settled(candidate, desired)

    async def rendered(self, template: Template, topology: Topology, timings: Timings) -> Rendered:
        """Return what `template` makes of `topology`, not checked. Raises RenderError."""
        with timings.stage(ApplyStage.RENDER):
            return await self._renderer.rendered(template, topology)

    async def build_another(
        self,
        desired: Topology,
        refused: Candidate,
        error: ProxyError,
        timings: Timings,
        load: Load,
    ) -> Candidate:
        """Return another candidate, after the proxy did not load `refused` because of `error`.

        A new template gives way to the last good one. Where no check comes before the reload, the
        culprits are searched for by loading. Raises `error` where neither helps.
        """
        if self.templates.refuse(refused.template, error):
            return await self.build(desired, timings)
        if self._platform.check is not None or not isinstance(error, CommandFailed):
            raise error
        with timings.stage(ApplyStage.BLAME):
            topology = await self._without_culprits(refused.topology, error, load)
        return self._settled(await self._by_best_template(topology, timings), desired)

    def _settled(self, candidate: Candidate, desired: Topology) -> Candidate:
        self._refusals.settle(candidate.topology)
        return msgspec.structs.replace(candidate, failed=self._refusals.failed(desired))

    async def _by_best_template(self, topology: Topology, timings: Timings) -> Candidate:
        """Use the newest template, or the last good template when that fails."""
        newest: Template | None = None
        try:
            newest = await self.templates.newest()
            candidate = await self._candidate(newest, topology, timings)
        except (RenderError, CheckRefused) as error:
            good = self.templates.good
            if good is None or newest is good:
                self.templates.report(error if isinstance(error, RenderError) else None)
                raise
            candidate = await self._candidate(good, topology, timings)
            self.templates.report(error, in_use=True)
        else:
            self.templates.report(None)
        return candidate

    async def _without_culprits(
        self, topology: Topology, error: Refused, load: Load | None
    ) -> Topology:
        """Return the largest part of `topology` that passes. Raises `error` when the reason is not
        a vhost.

        With `load` the proxy serves what is tried. So no trial has less than what served before,
        and there is none where that is not known.
        """
        if load is not None and self.good is None:
            raise _without_memory(error)
        template = await self.templates.usable()

        async def trial(attempt: Topology) -> Refusal | None:
            return await self._try(template, attempt, load)

        first = await trial(topology)
        if first is None:
            return topology
        result = await find_culprits(
            self.good,
            topology,
            first,
            trial,
            most_trials=MOST_TRIALS if load is None else _MOST_LOADS,
            harmless=EMPTY if load is None or self.good is None else self.good,
        )
        if result is None or not await self._may_leave_out(topology, result.topology):
            raise _without_memory(error) if self.good is None else error
        if load is None and not await trial(topology):
            # The reason was not a vhost, and it is gone.
            return topology
        self._refusals.note(result, topology, self.good)
        return result.topology

    async def _try(
        self, template: Template, attempt: Topology, load: Load | None
    ) -> Refusal | None:
        """Return why the proxy refuses `attempt`; None if it passes."""
        text = ""
        try:
            rendered = await self._renderer.rendered(template, attempt)
            text = rendered.text
            if load is not None:
                await load(rendered)
            else:
                config_file.discard(await self._write_and_check(rendered, Timings(self._clock)))
        except RenderError as error:
            return Refusal(str(error), alone=await self._failing_alone(template, attempt))
        except (CheckRefused, CommandFailed) as error:
            if isinstance(error, CommandFailed) and load is None:
                raise
            config = str(self._platform.config)
            return Refusal(_reason(error), error.output, text, config)
        return None

    async def _failing_alone(
        self, template: Template, attempt: Topology
    ) -> tuple[tuple[Part, str], ...]:
        """Return the vhosts that the template fails on by themselves, with the reasons.

        Empty if it fails on every vhost, or without any: then no vhost is to blame.
        """
        failing = []
        for vhost, app in attempt.apps.items():
            alone = Topology(apps={vhost: app}, namespaces=attempt.namespaces)
            try:
                await self._renderer.rendered(template, alone)
            except RenderError as error:
                failing.append((Part("vhost", vhost), str(error)))
        return tuple(failing) if len(failing) < len(attempt.apps) else ()

    async def _may_leave_out(self, desired: Topology, remaining: Topology) -> bool:
        if self.good is not None:
            return True
        present = await asyncio.to_thread(config_file.read, self._platform.config)
        return may_leave_out(present or "", desired, remaining)

    async def _candidate(
        self, template: Template, topology: Topology, timings: Timings
    ) -> Candidate:
        rendered = await self.rendered(template, topology, timings)
        config = self._platform.config
        file = None
        if await asyncio.to_thread(config_file.read, config) != rendered.text:
            file = await self._write_and_check(rendered, timings)
        return Candidate(rendered, file, topology, (), template)

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


def _without_memory(error: Refused) -> Refused:
    """Return `error` with what follows from it where nothing is known to be good."""
    text = (
        f"{error}; no earlier configuration is known to be good, so nothing is left out: the file "
        "and the traffic stay as they are until this is repaired"
    )
    if isinstance(error, CheckRefused):
        return CheckRefused(text, output=error.output, line=error.line)
    return RenderError(text) if isinstance(error, RenderError) else CommandFailed(text)


def _reason(error: CheckRefused | CommandFailed) -> str:
    """Return what an error says about a vhost, without what it says about the whole file."""
    return last_lines(error.output, _LONGEST_REASON) or str(error)
