"""A proxy's configuration file as the settings describe it: render it, check it, install it."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec

from drove_gateway.config import Settings
from drove_gateway.config.platforms import template_key
from drove_gateway.gotemplate import Template
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import ProxyError, RenderError
from drove_gateway.model.finding import FileExamination
from drove_gateway.model.vocabulary import EMPTY, Topology
from drove_gateway.proxies.installation import config_file
from drove_gateway.proxies.installation.check import check
from drove_gateway.proxies.installation.config_file import discard, write_candidate
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.health import InstallationHealth
from drove_gateway.proxies.installation.installation import Installation, NoInstallation
from drove_gateway.proxies.installation.lint import Lint, nothing
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.refused_line import TemplateSource
from drove_gateway.proxies.installation.render import Rendered, render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.served import ReadServed, served_topology
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.template_functions import no_facts, template_functions
from drove_gateway.proxies.installation.template_memory import NAME as TEMPLATE_NAME
from drove_gateway.proxies.installation.template_memory import TemplateMemory
from drove_gateway.proxies.installation.version import Version, installed_version
from drove_gateway.proxies.outside import Outside


class Program(msgspec.Struct, frozen=True):
    """The proxy's program: the setting that names it, and its command."""

    setting: str
    command: Sequence[str]


class ConfiguredFile(msgspec.Struct, frozen=True):
    """A configuration file that is rendered from a template.

    `installed` is False where reloads are disabled and a runtime API does the rest: then nothing is
    written. `examine` finds what the settings in a text lose at reloads. `shared` reads from a text
    what a runtime API cannot change; it is None where servers are changed by this file alone.
    `functions` are what templates of this kind of proxy may call beyond those of every template.
    `facts` grows when those functions have learned something that the file should show.
    `lint` finds what the proxy accepts and what loses requests.
    """

    settings: Settings
    template_path: Path
    program: Program
    platform: Platform
    installed: bool
    examine: Callable[[str, Path, Version | None], FileExamination]
    shared: Callable[[str], str] | None = None
    functions: Mapping[str, Callable[..., Any]] = {}
    facts: Callable[[], int] = no_facts
    lint: Lint = nothing

    async def template(
        self, environ: Mapping[str, str], release: Callable[[], int] | None = None
    ) -> TemplateFile:
        """Return the template, whose functions know the version of the installed proxy.

        Without `template_watch`, a changed file waits for `release`.
        """
        limit = self.settings.command_timeout_sec
        version = await installed_version(self.program.command, timeout=limit)
        functions = {**template_functions(environ, version), **self.functions}
        return TemplateFile(
            self.template_path,
            self.settings.delimiters,
            functions,
            self._template_memory(),
            None if self.settings.template_watch else release,
            setting=template_key(self.settings.proxy_platform),
        )

    def _template_memory(self) -> TemplateMemory | None:
        """Where the last good template is stored, if anything is."""
        settings = self.settings
        if not settings.state_persistence_enabled:
            return None
        path = Path(settings.state_persistence_dir) / TEMPLATE_NAME
        return TemplateMemory(path, settings.proxy_platform, settings.delimiters)

    async def examined(self) -> FileExamination:
        """Return what the file on disk shows; nothing if there is none. Raises ProxyError."""
        config = self.platform.config
        text = await asyncio.to_thread(config_file.read, config)
        if text is None:
            return FileExamination()
        limit = self.settings.command_timeout_sec
        version = await installed_version(self.program.command, timeout=limit)
        return await asyncio.to_thread(self.examine, text, config, version)

    def render(
        self,
        template: Template,
        topology: Topology,
        environ: Mapping[str, str],
        host_name: str,
    ) -> Rendered:
        """Execute `template`; `host_name` stands for an empty `xproxy`. Raises RenderError."""
        data = context(topology, self.settings, self.settings.xproxy or host_name, environ)
        return render(template, data, self.shared)

    async def rendered(
        self, topology: Topology, environ: Mapping[str, str], host_name: str
    ) -> Rendered:
        """Return what the template on disk makes of `topology`. Raises RenderError."""
        template = await self.template(environ)
        return self.render(template.newest(), topology, environ, host_name)

    async def served(self, read_served: ReadServed, outside: Outside) -> Topology:
        """Return the vhosts and servers that the file on disk lists; empty if it cannot be read.

        What the template makes without any app, and the leaders' vhosts, are not apps.
        """
        namespaces = self.settings.namespaces
        fixed = {each.leader_vhost.lower() for each in namespaces}
        with suppress(RenderError):
            bare = await self.rendered(EMPTY, outside.environ, outside.host_name)
            fixed |= read_served(bare.text).keys()
        try:
            text = await asyncio.to_thread(config_file.read, self.platform.config)
        except ProxyError:
            text = None
        served = await asyncio.to_thread(read_served, text or "")
        tags = {each.routing_tag for each in namespaces if each.routing_tag}
        tag = tags.pop() if len(tags) == 1 else ""
        return served_topology(served, fixed=fixed, routing_tag=tag)

    def installation(
        self, template: TemplateFile, outside: Outside, remembered: Topology | None = None
    ) -> Installation:
        """Return what installs this file, or the installation that does nothing."""
        if not self.installed:
            return NoInstallation(self.platform.name)
        host_name = outside.host_name
        return FileInstallation(
            self.platform,
            template,
            Renderer(
                lambda compiled, topology: self.render(
                    compiled, topology, outside.environ, host_name
                ),
                outside.metrics,
            ),
            delims=self.settings.delimiters,
            timeout=self.settings.command_timeout_sec,
            prove=outside.prove,
            ask=outside.ask,
            clock=outside.clock,
            remembered=remembered,
            announce_copy=lambda config, copy: outside.log.write(
                LogEvent.FOREIGN_FILE_KEPT, path=str(config), copy=str(copy)
            ),
            replaced=outside.replaced,
            facts=self.facts,
            health=InstallationHealth(_template_news(outside.log, self.template_path)),
        )

    async def check(self, text: str) -> str:
        """Have the proxy check `text`, changing nothing; return the command, for a message.

        Raises CheckRefused with the proxy's message and, if known, the line of the template.
        """
        source, limit = self._source(), self.settings.command_timeout_sec
        with _beside(self.platform.config, text) as file:
            command = await check(self.platform, file, text, source, timeout=limit)
        shown = " ".join(command).replace(str(file), str(self.platform.config))
        return shown or "disabled in the configuration"

    async def warnings(self, text: str) -> list[str]:
        """Return what in `text` passes the check and loses requests, with the template's lines."""
        limit = self.settings.command_timeout_sec
        version = await installed_version(self.program.command, timeout=limit)
        source, name = self._source(), self.template_path.name
        hazards = self.examine(text, self.platform.config.absolute(), version).findings
        return [
            *(
                f"{name}: {found.what} {found.advice}"
                for found in hazards
                if found.subjects and found.avoidable
            ),
            *(
                f"{name}{source.origin(text, found.line)}: {found.message}"
                for found in self.lint(text)
            ),
        ]

    def _source(self) -> TemplateSource:
        return TemplateSource(
            self.template_path.name,
            self.template_path.read_text(errors="replace"),
            self.settings.delimiters,
        )


def _template_news(log: EventLog, path: Path) -> Callable[[str], None]:
    """Return what logs that a problem of the template began, changed, or ended."""

    def announce(problem: str) -> None:
        if problem:
            log.write(LogEvent.TEMPLATE_UNUSABLE, path=str(path), error=problem)
        else:
            log.write(LogEvent.TEMPLATE_USABLE_AGAIN, path=str(path))

    return announce


@contextmanager
def _beside(config: Path, text: str) -> Iterator[Path]:
    """Write `text` to a file beside `config`, so that relative includes are found; where this user
    cannot write there, to a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="drove-gateway-check-") as directory:
        try:
            file = write_candidate(config, text)
        except ProxyError:
            file = write_candidate(Path(directory) / config.name, text)
        try:
            yield file
        finally:
            discard(file)
