"""Configuration generations: render, check, swap, reload, prove.

A generation is what the proxy serves after one reload. Every failure leaves the proxy with the
generation it had and, on disk, a file that it can start from.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from drove_gateway.errors import CheckRefused, GenerationUnproven, ProxyError, RenderError
from drove_gateway.gotemplate import Template
from drove_gateway.model import Topology
from drove_gateway.proxies import config_file
from drove_gateway.proxies.commands import last_lines, run
from drove_gateway.proxies.proof import Ask, Prove
from drove_gateway.proxies.template_file import TemplateFile
from drove_gateway.render import Rendered, template_line

# A reload of NGINX takes about five times its check (measured at 1,000 and 5,000 upstreams), so
# the check's own duration tells how long a proof may take before something is wrong.
_PROOF_BASE_SECONDS = 3.0
_PROOF_PER_CHECK_SECOND = 15.0
# A generation that was proven before answers at once; this is only to ask.
_ALREADY_SERVED_SECONDS = 0.2


class Platform(msgspec.Struct, frozen=True):
    """What differs between proxies when a configuration is brought to them.

    `check` gives the command that checks a file, None where checks are ignored; `reload` makes
    the proxy load `config`, None where reloads are disabled; it raises ProxyError.
    """

    name: str
    config: Path
    check: Callable[[Path], tuple[str, ...]] | None
    reload: Callable[[], Awaitable[None]] | None


class Installed(msgspec.Struct, frozen=True):
    """A generation that serves: what was rendered, and the seconds that each stage took.

    `reloaded` is False where the proxy already served exactly this.
    """

    rendered: Rendered
    seconds: tuple[tuple[str, float], ...]
    reloaded: bool


class Stages:
    """Seconds by stage, in the order they began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, whether it ends well or not."""
        begin = self._clock()
        try:
            yield
        finally:
            self.seconds.append((name, self._clock() - begin))

    def of(self, name: str) -> float:
        return sum(seconds for stage, seconds in self.seconds if stage == name)


class Generations:
    """Makes configuration generations of one proxy from one template.

    `template_problem` says what is wrong with the template on disk, empty when nothing is; the
    last good one is used meanwhile. `config_problem` is the last refusal of the proxy's check.
    """

    def __init__(
        self,
        platform: Platform,
        template: TemplateFile,
        render: Callable[[Template, Topology], Rendered],
        *,
        delims: tuple[str, str],
        timeout: float,
        prove: Prove,
        ask: Ask,
        clock: Callable[[], float],
    ) -> None:
        self.platform = platform
        self.template = template
        self.template_problem = ""
        self.current: Rendered | None = None
        self._render = render
        self._delims = delims
        self._timeout = timeout
        self._prove = prove
        self._ask = ask
        self._clock = clock
        config_file.discard_leftovers(platform.config)

    async def install(self, topology: Topology, *, force: bool = False) -> Installed:
        """Bring the proxy to `topology` by a reload, and prove it where the template allows.

        When the proxy already serves exactly this text, nothing is reloaded unless `force`.
        Raises RenderError, CheckRefused, CommandFailed, CommandTimeout, GenerationUnproven or
        another ProxyError; then the proxy serves what it served and the file is the one before.
        """
        stages = Stages(self._clock)
        rendered, candidate = await self._candidate(topology, stages)
        if candidate is None and not force and await self._serves(rendered):
            self.current = rendered
            return Installed(rendered, tuple(stages.seconds), reloaded=False)
        previous = await asyncio.to_thread(config_file.read, self.platform.config)
        if candidate is not None:
            with stages.stage("swap"):
                await asyncio.to_thread(config_file.swap, candidate, self.platform.config)
        try:
            await self._reload(rendered, stages)
        except ProxyError:
            await self._restore(previous)
            raise
        self.current = rendered
        return Installed(rendered, tuple(stages.seconds), reloaded=self.platform.reload is not None)

    async def write(self, topology: Topology) -> bool:
        """Bring only the file to `topology`, checked, without a reload: for the next restart.

        Gives whether the file changed. Raises RenderError, CheckRefused or another ProxyError;
        the file is then as before.
        """
        _, candidate = await self._candidate(topology, Stages(self._clock))
        if candidate is not None:
            await asyncio.to_thread(config_file.swap, candidate, self.platform.config)
        return candidate is not None

    async def drift(self) -> str:
        """How the file or the running proxy differs from the installed generation, or "".

        A proxy that does not answer is no drift: it is down, or being restarted, and will load
        the file.
        """
        current = self.current
        if current is None:
            return ""
        config = self.platform.config
        if await asyncio.to_thread(config_file.read, config) != current.text:
            return f"{config} was changed by somebody else"
        if current.proof_url is None or self.platform.reload is None:
            return ""
        serving = await self._ask(current.proof_url)
        if serving is None or serving == current.generation:
            return ""
        return f"{self.platform.name} serves generation {serving}, not {current.generation}"

    async def _candidate(self, topology: Topology, stages: Stages) -> tuple[Rendered, Path | None]:
        """Render and check; with the last good template when the newest fails."""
        good = self.template.good
        newest: Template | None = None
        try:
            newest = self.template.newest()
            made = await self._checked(newest, topology, stages)
        except (RenderError, CheckRefused) as error:
            if good is None or newest is good:
                self.template_problem = str(error) if isinstance(error, RenderError) else ""
                raise
            made = await self._checked(good, topology, stages)
            self.template_problem = f"{error}; the last good template is used instead"
        else:
            self.template.accept(newest)
            self.template_problem = ""
        return made

    async def _checked(
        self, template: Template, topology: Topology, stages: Stages
    ) -> tuple[Rendered, Path | None]:
        with stages.stage("render"):
            rendered = self._render(template, topology)
        config = self.platform.config
        if await asyncio.to_thread(config_file.read, config) == rendered.text:
            return rendered, None
        with stages.stage("write"):
            candidate = await asyncio.to_thread(config_file.write_candidate, config, rendered.text)
        try:
            with stages.stage("check"):
                await self._check(candidate, rendered)
        except BaseException:
            config_file.discard(candidate)
            raise
        return rendered, candidate

    async def _check(self, candidate: Path, rendered: Rendered) -> None:
        if self.platform.check is None:
            return
        finished = await run(self.platform.check(candidate), timeout=self._timeout)
        if finished.exit_code == 0:
            return
        output = finished.output.replace(str(candidate), str(self.platform.config))
        line = _line_named(output, self.platform.config)
        raise CheckRefused(
            f"{self.platform.name} refuses the new configuration{self._whence(rendered, line)}, "
            f"{self.platform.config} stays as it is: {last_lines(output)}",
            output=output,
            line=line,
        )

    def _whence(self, rendered: Rendered, line: int | None) -> str:
        lines = rendered.text.splitlines()
        if line is None or not 0 < line <= len(lines):
            return ""
        origin = template_line(self.template.source, lines[line - 1], self._delims)
        where = f", from line {origin} of {self.template.path.name}" if origin else ""
        return f" at line {line} ({lines[line - 1].strip()[:160]}{where})"

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

    async def _restore(self, previous: str | None) -> None:
        """Put back the file that the proxy still runs, so that a restart finds it."""
        if previous is None:
            return
        candidate = await asyncio.to_thread(
            config_file.write_candidate, self.platform.config, previous
        )
        await asyncio.to_thread(config_file.swap, candidate, self.platform.config)


def _line_named(output: str, config: Path) -> int | None:
    """The line of the file that a check names: `nginx.conf:12` (NGINX), `[haproxy.cfg:12]`."""
    found = re.search(rf"{re.escape(str(config))}:(\d+)", output)
    return int(found.group(1)) if found else None
