"""NGINX with the Lua balancer, as Debian's releases have it, in a directory of its own."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from tests import newer_debian
from tests.traffic import free_port
from tests.waiting import until

from drove_gateway.proxies.nginx.lua.configuration import (
    FileServer,
    FileUpstream,
    LuaOptions,
    http_part,
    server_part,
    upstream_part,
)

PROGRAM = Path("/usr/sbin/nginx")
MODULES = Path("/usr/lib/nginx/modules")
WORKERS = 2
_STOP_SECONDS = 20


class LuaProgram(msgspec.Struct, frozen=True):
    """An NGINX, the directory of its modules, and that of their Lua libraries, if not the usual."""

    command: Path = PROGRAM
    modules: Path = MODULES
    libraries: Path | None = None


INSTALLED = LuaProgram()

_MAIN = """\
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
{user}
worker_processes {workers};
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_set_header Host $host;
    proxy_connect_timeout 1s;
    proxy_next_upstream_tries 0;
    {libraries}
    {balancer}
    upstream vhost@requested {{
        {by_host}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port} default_server;
        access_by_lua_block {{ require("drove_gateway.balancer").access_by_host(ngx.var.host) }}
        location / {{ proxy_pass http://vhost@requested; }}
    }}
    {servers}
}}
"""
_BY_HOST = (
    "server 0.0.0.1; balancer_by_lua_block "
    '{ require("drove_gateway.balancer").balance(ngx.var.host) }'
)
_SERVER = """\
    upstream {name} {{
        {upstream_part}
        keepalive 16;
    }}
    server {{
        listen 127.0.0.1:{port};
        server_name {name};
        {server_part}
        error_page 502 @failed;
        location / {{ proxy_pass http://{name}; }}
        location @failed {{ return 502 "every server failed\\n"; }}
    }}
"""

Servers = Sequence[str]


class LuaNginx:
    """NGINX's process, its API and its traffic port."""

    def __init__(self, directory: Path, program: LuaProgram = INSTALLED) -> None:
        self.directory = directory
        self._program = program
        self.config = directory / "nginx.conf"
        self.socket = directory / "api.sock"
        self.port = free_port()
        self._session: aiohttp.ClientSession | None = None
        self._process: asyncio.subprocess.Process | None = None

    def write(
        self,
        vhosts: Mapping[str, Servers | FileUpstream],
        generation: str = "1",
        memory: str = "4m",
        api_port: int | None = None,
    ) -> None:
        """Write the configuration file with these vhosts and their servers.

        With `api_port` the API listens there, instead of on the Unix socket that `call` uses.
        """
        upstreams = {
            name: servers if isinstance(servers, FileUpstream) else listed(servers)
            for name, servers in vhosts.items()
        }
        listen = f"127.0.0.1:{api_port}" if api_port else f"unix:{self.socket}"
        options = LuaOptions(listen=listen, memory=memory)
        libraries = self._program.libraries
        self.config.write_text(
            _MAIN.format(
                modules=self._program.modules,
                libraries=f'lua_package_path "{libraries}/?.lua;;";' if libraries else "",
                workers=WORKERS,
                directory=self.directory,
                user="user root;" if os.geteuid() == 0 else "",
                balancer=http_part(options, upstreams, generation=generation),
                by_host=_BY_HOST,
                port=self.port,
                servers="".join(map(self._server, upstreams)),
            )
        )

    def _server(self, name: str) -> str:
        return _SERVER.format(
            name=name,
            port=self.port,
            upstream_part=upstream_part(name),
            server_part=server_part(name),
        )

    async def start(self) -> None:
        """Start the master process and wait until the API responds."""
        if self._program is INSTALLED:
            lua_program()
        self._process = await asyncio.create_subprocess_exec(*self._command("-g", "daemon off;"))
        await until(self._responds)

    async def stop(self) -> None:
        """End NGINX as `systemctl stop` does."""
        await self._close_session()
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        self._process = None

    async def restart(self) -> tuple[float, float]:
        """Let running requests finish, end NGINX as Debian's service does, and start it again.

        Returns when it began and when NGINX responded again, by the monotonic clock.
        """
        begin = time.monotonic()
        await self._close_session()
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        await asyncio.wait_for(self._process.wait(), _STOP_SECONDS)
        await self.start()
        return begin, time.monotonic()

    async def kill(self) -> None:
        """Kill the master and the workers, as the kernel does when memory runs out."""
        workers = (await self.handshake())["workers"]
        await self._close_session()
        assert self._process is not None
        self._process.kill()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        await self._process.wait()
        await until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))

    async def reload(self) -> None:
        """Reload, and wait until the old workers are gone."""
        before = (await self.handshake())["loads"]
        process = await asyncio.create_subprocess_exec(*self._command("-s", "reload"))
        assert await process.wait() == 0
        await self._close_session()

        async def loaded() -> bool:
            await self._close_session()
            handshake = await self.handshake()
            return handshake["loads"] > before and len(handshake["workers"]) == WORKERS

        await until(loaded)

    async def kill_workers(self) -> tuple[float, float]:
        """Kill every worker at once, and wait for the master's new ones.

        Returns when they were killed and when they were gone, by the monotonic clock.
        """
        killed = set((await self.handshake())["workers"])
        begin = time.monotonic()
        for worker in killed:
            os.kill(worker, signal.SIGKILL)
        await until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in killed))
        end = time.monotonic()
        await self._close_session()

        async def replaced() -> bool:
            try:
                workers = set((await self.handshake())["workers"])
            except (OSError, aiohttp.ClientError):
                return False
            return len(workers) == WORKERS and not workers & killed

        await until(replaced)
        return begin, end

    async def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Call the API: status and decoded body."""
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(str(self.socket), limit=4)
            )
        async with self._session.request(method, f"http://api{path}", data=data) as response:
            return response.status, json.loads(await response.read())

    async def handshake(self) -> Any:
        return (await self.call("GET", "/drove-gateway/"))[1]

    async def apply(self, **changes: object) -> Any:
        """The bulk route: each upstream's result by name, with dots for double underscores."""
        named = {name.replace("__", "."): change for name, change in changes.items()}
        status, results = await self.call("POST", "/drove-gateway/upstreams", {"upstreams": named})
        assert status == 200, results
        return results["upstreams"]

    async def servers(self, upstream: str) -> list[str]:
        """The addresses that the API lists, or none where there is no such upstream."""
        status, shown = await self.call("GET", f"/api/9/http/upstreams/{upstream}/servers/")
        return [server["server"] for server in shown] if status == 200 else []

    async def active(self, upstream: str) -> int:
        """Running requests of an upstream."""
        _, shown = await self.call("GET", f"/api/9/http/upstreams/{upstream}/")
        return sum(peer["active"] for peer in shown["peers"])

    @property
    def log(self) -> str:
        return (self.directory / "error.log").read_text()

    def _command(self, *arguments: str) -> tuple[str, ...]:
        return (
            str(self._program.command),
            "-p",
            str(self.directory),
            "-c",
            str(self.config),
            *arguments,
        )

    async def _responds(self) -> bool:
        try:
            await self.handshake()
        except (OSError, aiohttp.ClientError):
            return False
        return True

    async def _close_session(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None


def lua_program() -> Path:
    """Debian's NGINX, which loads Lua from `MODULES`; the test is skipped where it is missing."""
    if not (MODULES / "ngx_http_lua_module.so").exists():
        pytest.skip("NGINX with Lua is not installed: make debian-proxies")
    return PROGRAM


def newer_program() -> LuaProgram:
    """NGINX of a newer Debian; the test is skipped, with the reason, where there is none."""
    unpacked = newer_debian.nginx()
    if isinstance(unpacked, str):
        pytest.skip(unpacked)
    root = unpacked.root / "usr"
    return LuaProgram(unpacked.command, root / "lib/nginx/modules", root / "share/lua/5.1")


def listed(servers: Servers) -> FileUpstream:
    return FileUpstream(tuple(FileServer(address) for address in servers))


def replacing(*addresses: str, **parameters: object) -> dict[str, object]:
    """A change of the bulk route: these servers and no others."""
    return {"servers": [{"server": address, **parameters} for address in addresses]}


@contextlib.asynccontextmanager
async def started(
    directory: Path,
    vhosts: Mapping[str, Servers | FileUpstream],
    program: LuaProgram = INSTALLED,
    **options: Any,
) -> AsyncIterator[LuaNginx]:
    """NGINX with these vhosts in its file."""
    nginx = LuaNginx(directory, program)
    nginx.write(vhosts, **options)
    try:
        await nginx.start()
        yield nginx
    finally:
        await nginx.stop()
