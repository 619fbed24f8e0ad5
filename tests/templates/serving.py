"""The shipped templates, rendered as the daemon does, and a real proxy that serves the result."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
from tests.traffic import free_port
from tests.waiting import until

from drove_gateway.config import Settings
from drove_gateway.demo.processes import stop
from drove_gateway.gotemplate import Template
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.proxies.installation.version import installed_version
from drove_gateway.proxies.nginx.lua.configuration import LuaOptions
from drove_gateway.proxies.nginx.lua.template_functions import lua_functions, lua_use
from drove_gateway.templates import shipped

NO_NAMESPACES: Mapping[str, Namespace] = {}


def app(vhost: str, /, *hosts: Host, tag: str = "", **groups: tuple[Host, ...]) -> App:
    """A vhost of `hosts` in its own group, or of `groups` by the value of `tag`."""
    grouped = {name: HostGroup(members, {}) for name, members in groups.items()}
    if hosts:
        grouped[vhost] = HostGroup(hosts, {})
    together = (*hosts, *(host for members in groups.values() for host in members))
    return App(vhost, vhost, together, {}, grouped, tag)


def topology(*apps: App, leader: str = "", endpoint: str = "http://127.0.0.1:1") -> Topology:
    """Apps, and a namespace with its leader's vhost."""
    host, _, port = endpoint.rpartition("/")[2].rpartition(":")
    namespace = Namespace(leader, Leader(endpoint, host.strip("[]"), int(port)), "colour")
    return Topology({served.vhost: served for served in apps}, {"stage": namespace})


class Shipped(msgspec.Struct, frozen=True):
    """A shipped template for a proxy that is to run in `directory`."""

    name: str
    program: Path
    directory: Path
    port: int
    proof: int
    settings: Mapping[str, str] = {}

    @property
    def config(self) -> Path:
        return self.directory / "proxy.conf"

    @property
    def nginx(self) -> bool:
        return self.name.startswith("nginx")

    @property
    def check(self) -> tuple[str, ...]:
        if self.nginx:
            return (str(self.program), "-p", str(self.directory), "-c", str(self.config), "-t")
        return (str(self.program), "-f", str(self.config), "-c")

    @property
    def run(self) -> tuple[str, ...]:
        if self.nginx:
            return (*self.check[:-1], "-g", "daemon off;")
        return (*self.check[:-1], "-db")

    async def write(self, topology: Topology, settings: Settings | None = None) -> str:
        """Render the configuration into its file."""
        version = await installed_version((str(self.program),), timeout=20)
        options = LuaOptions(listen=f"unix:{self.directory}/api.sock")
        functions = {
            **template_functions(self._environ(), version),
            **lua_functions(lambda: options, lua_use(shipped(self.name))),
        }
        template = Template(shipped(self.name), name=self.name, funcs=dict(functions))
        made = settings or Settings(proxy_platform="nginx" if self.nginx else "haproxy")
        text = render(template, context(topology, made, "lb1", self._environ())).text
        self.config.write_text(text)
        return text

    @asynccontextmanager
    async def serving(
        self, topology: Topology, settings: Settings | None = None
    ) -> AsyncIterator[int]:
        """The proxy at work with that configuration; gives the port of its clients."""
        await self.write(topology, settings)
        with (self.directory / "proxy.log").open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *self.run, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            await until(lambda: self._up(process))
            yield self.port
        finally:
            await stop(process)

    async def _up(self, process: asyncio.subprocess.Process) -> bool:
        log = (self.directory / "proxy.log").read_text()
        assert process.returncode is None, f"the proxy ended:\n{log}\n{self.config.read_text()}"
        return await _accepts(self.port) and await _accepts(self.proof)

    def _environ(self) -> dict[str, str]:
        return {
            "PROXY_HTTP_PORT": str(self.port),
            "GENERATION_PORT": str(self.proof),
            "HAPROXY_USER": "none",
            "HAPROXY_LOG": "none",
            "NGINX_USER": "none",
            "NGINX_PID": f"{self.directory}/nginx.pid",
            "NGINX_ERROR_LOG": f"{self.directory}/error.log",
            "NGINX_ACCESS_LOG": "off",
            "NGINX_TEMP": str(self.directory),
            **self.settings,
        }


def ship(name: str, program: Path, directory: Path) -> Shipped:
    """The template `name` for a proxy on free ports."""
    return Shipped(name, program, directory, free_port(), free_port())


async def _accepts(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
