"""An installation whose check refuses certain vhosts."""

from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import (
    CommandFailed,
)
from drove_gateway.model.vocabulary import App, Host, Namespace, Topology
from drove_gateway.model.vocabulary import Leader as Leading
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile

TEMPLATE = """\
{{range .Apps}}vhost {{.Vhost}}{{range .Hosts}} {{.Host}}{{end}}
{{if index .Tags "weight"}}weight {{index (index .Tags "weight") 2}}
{{end}}{{end}}{{range .Namespaces}}leader {{.Leader.Host}}
{{end}}"""


def app(vhost: str, host: str, **tags: str) -> App:
    return App(vhost, vhost, (Host(host, 80, "http"),), tags, {}, "")


def topology(leader: str = "10.0.0.9", **hosts: str) -> Topology:
    """A vhost for each keyword, served by that host."""
    return Topology(
        {vhost: app(vhost, host) for vhost, host in hosts.items()},
        {"n": Namespace("drove", Leading("http://x", leader, 80), "")},
    )


class Rig:
    """Installation for a proxy whose check is a shell script; `now` is its clock."""

    def __init__(
        self, directory: Path, timeout: float = 20, remembered: Topology | None = None
    ) -> None:
        self.now = 1000.0
        self.config = directory / "proxy.conf"
        self.template = directory / "proxy.tmpl"
        self.template.write_text(TEMPLATE)
        self.script = directory / "check"
        self.log = directory / "checks"
        self.refuse("! grep -n bad $1")
        self.reloads = 0
        self.reload_fails = False
        self.copies: list[Path] = []
        platform = Platform(
            name="proxy",
            config=self.config,
            check=lambda file: ("/bin/sh", str(self.script), str(file)),
            reload=self._reload,
        )
        self.installation = FileInstallation(
            platform,
            TemplateFile(self.template, ("{{", "}}"), {}),
            Renderer(
                lambda compiled, what: render(compiled, context(what, Settings(), "test")),
                Metrics(),
            ),
            delims=("{{", "}}"),
            timeout=timeout,
            prove=_prove,
            ask=_ask,
            clock=lambda: self.now,
            remembered=remembered,
            announce_copy=lambda _, copy: self.copies.append(copy),
        )

    def refuse(self, command: str) -> None:
        """The check is this command from now on; $1 is the file."""
        self.script.write_text(f"echo checked >> {self.log}\n{command}\n")

    def checks(self) -> int:
        """How often the check was called since the last time this was asked."""
        count = len(self.log.read_text().splitlines()) if self.log.exists() else 0
        self.log.unlink(missing_ok=True)
        return count

    def vhosts(self) -> dict[str, str]:
        lines = [line.split() for line in self.config.read_text().splitlines()]
        return {line[1]: line[2] for line in lines if line[0] == "vhost"}

    async def _reload(self) -> None:
        self.reloads += 1
        if self.reload_fails:
            raise CommandFailed("no reload")


async def _prove(url: str, generation: str, *, timeout: float) -> None: ...


async def _ask(url: str) -> str | None: ...
