"""A real NGINX, and what brings configurations to it, with a template that proves generations."""

import asyncio
import shlex
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from tests.traffic import free_port, get
from tests.waiting import until

from drove_gateway.config import Settings
from drove_gateway.demo.proxy import running_proxy
from drove_gateway.metrics import Metrics
from drove_gateway.model.vocabulary import App, Host, Topology
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.proof import ask, prove
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.nginx.platform import nginx_platform

TEMPLATE = """\
# drove-gateway: generation http://127.0.0.1:PROOF/generation
pid DIRECTORY/nginx.pid;
error_log DIRECTORY/nginx-error.log;
events {}
http {
    access_log off;
    server { listen 127.0.0.1:PROOF; location = /generation { return 200 "{{.Generation}}"; } }
    server { listen 127.0.0.1:PORT default_server; return 404; }
    {{- range .Apps}}
    server { listen 127.0.0.1:PORT; server_name {{.Vhost}}; return 200 "{{len .Hosts}}"; }
    {{- end}}
}
"""


def topology(**servers: int) -> Topology:
    """Vhosts by their number of servers."""
    return Topology(
        apps={
            vhost: App(
                id=vhost,
                vhost=vhost,
                hosts=tuple(Host("10.0.0.1", 31000 + number, "http") for number in range(count)),
                tags={},
                groups={},
                routing_tag_key="",
            )
            for vhost, count in servers.items()
        },
        namespaces={},
    )


class Rig:
    """NGINX in `directory`, answering each vhost with its number of servers at `port`."""

    def __init__(self, nginx: Path, directory: Path, proof: int) -> None:
        self.directory = directory
        self.config = directory / "nginx.conf"
        self.template = directory / "nginx.tmpl"
        self.port = free_port()
        self.proof = proof
        self.command: tuple[str, ...] = (str(nginx), "-p", str(directory))
        self.timeout = 20.0
        self.reloads = 0
        self.write_template(TEMPLATE)

    def write_template(self, text: str) -> None:
        """Put `text` where the template is, with this machine's ports."""
        for name, value in (("PROOF", self.proof), ("PORT", self.port)):
            text = text.replace(name, str(value))
        self.template.write_text(text.replace("DIRECTORY", str(self.directory)))

    def platform(self, *, ignore_check: bool = False, reload_disabled: bool = False) -> Platform:
        """The real one, with its reloads counted."""
        made = nginx_platform(
            Settings(
                nginx_cmd=shlex.join(self.command),
                nginx_config=str(self.config),
                nginx_ignore_check=ignore_check,
                nginx_reload_disabled=reload_disabled,
                command_timeout_sec=self.timeout,
            )
        )
        if made.reload is None:
            return made
        reload = made.reload

        async def counted() -> None:
            self.reloads += 1
            await reload()

        return msgspec.structs.replace(made, reload=counted)

    def installation(
        self, platform: Platform | None = None, remembered: Topology | None = None
    ) -> FileInstallation:
        """A gateway's installation, as at its start."""
        settings = Settings()
        return FileInstallation(
            platform or self.platform(),
            TemplateFile(self.template, ("{{", "}}"), {}),
            Renderer(
                lambda template, topology: render(template, context(topology, settings, "lb1")),
                Metrics(),
            ),
            delims=("{{", "}}"),
            timeout=self.timeout,
            prove=prove,
            ask=ask,
            clock=time.monotonic,
            remembered=remembered,
        )

    async def serves(self, **vhosts: int | None) -> None:
        """Wait until each vhost answers with its number of servers, or 404 where it is None."""

        async def so() -> bool:
            answers = [await self._answer(vhost) for vhost in vhosts]
            return answers == [(404, None) if n is None else (200, n) for n in vhosts.values()]

        await until(so)

    async def _answer(self, vhost: str) -> tuple[int, int | None]:
        try:
            status, body = await get(self.port, vhost)
        except OSError:
            return 0, None
        return status, int(body) if status == 200 else None

    @property
    def left_beside(self) -> list[str]:
        """Temporary files that nobody removed."""
        return [path.name for path in self.directory.glob(".nginx.conf.tmp-*")]


@asynccontextmanager
async def rigged(nginx: Path, directory: Path) -> AsyncIterator[Rig]:
    """NGINX at work, serving nothing yet."""
    ports = {"port": free_port(), "proof": free_port()}
    async with running_proxy("nginx", nginx, directory, **ports) as proxy:
        await until((directory / "nginx.pid").exists)
        rig = Rig(nginx, directory, int(proxy.environ["GENERATION_PORT"]))
        await until(lambda: _accepts(rig.proof))
        yield rig


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
