"""A stand-in for NGINX Plus: its API, its upstreams, its reloads, and traffic through it.

It runs inside the test's own event loop. `command` is a program that does what `nginx -t` and
`nginx -s reload` do, so that reloads come from real files.
"""

import asyncio
import contextlib
import itertools
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from tests.standins.nginx_plus.api import Api
from tests.standins.nginx_plus.conf import Conf, ConfError, parse
from tests.standins.nginx_plus.traffic import Traffic
from tests.standins.nginx_plus.zone import Upstream

_COMMAND = Path(__file__).with_name("nginx_cmd.py")


class NginxPlus:
    """One NGINX Plus. `conf_path` is the file that it loads; `text` is used where it is missing.

    `disk` has the state files by path; it outlives reloads and restarts.
    """

    def __init__(self, text: str = "", conf_path: Path | None = None, zone_servers: int = 10_000):
        self.text = text
        self.conf_path = conf_path
        self.zone_servers = zone_servers
        self.disk: dict[str, list[dict[str, Any]]] = {}
        self.upstreams: dict[str, Upstream] = {}
        self.resolver = False
        self.api = Api(self)
        self.traffic = Traffic(lambda: self.upstreams, lambda: self.answers)
        self.answers: dict[str, str] = {}
        self.reloads = 0
        self.during_reload: Callable[[], Awaitable[None]] | None = None
        self._pids = itertools.count(4000, 10)
        self._ppid = next(self._pids)
        self._generation = 1
        self._loaded = datetime.now(UTC)
        self._runners: list[web.AppRunner] = []
        self._listeners: list[socket.socket] = []
        self.api_port = self.traffic_port = self.control_port = 0
        self._take(self._read(), self._zones(self._read()))

    # As the documentation says: /nginx.
    def identity(self) -> dict[str, Any]:
        return {
            "version": "1.25.5",
            "build": "nginx-plus-r32",
            "address": "127.0.0.1",
            "generation": self._generation,
            "load_timestamp": _stamp(self._loaded),
            "timestamp": _stamp(datetime.now(UTC)),
            "pid": self._ppid + 1 + self._generation,
            "ppid": self._ppid,
        }

    def save(self, upstream: Upstream) -> None:
        """The state file is written at each change of its upstream."""
        if upstream.state:
            self.disk[upstream.state] = upstream.kept()

    async def reload(self) -> None:
        """Load the configuration again; changes that come while it does so are lost."""
        conf = self._read()
        zones = self._zones(conf)
        if self.during_reload is not None:
            await self.during_reload()
        self._take(conf, zones)
        for upstream in zones.values():
            self.save(upstream)
        self._generation += 1
        self.reloads += 1
        self.api.close_idle_connections()

    async def restart(self) -> None:
        """End and begin anew: only state files survive."""
        await self.stop()
        conf = self._read()
        self._take(conf, self._zones(conf))
        self._ppid, self._generation = next(self._pids), 1
        await self.start(self.api_port, self.traffic_port, self.control_port)

    async def start(
        self, api: int = 0, traffic: int = 0, control: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self.api_port = await self._serve(self.api.handle, api, tls)
        self.traffic_port = await self._serve(self.traffic.handle, traffic)
        self.control_port = await self._serve(self._control, control)

    async def stop(self) -> None:
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            asyncio.get_running_loop().remove_reader(listener)
        # Connections that were just accepted become known, so that they are closed as well: asyncio
        # accepts, makes the transport and calls the protocol in a turn each, and loses a connection
        # whose server is closed in between.
        for _ in range(3):
            await asyncio.sleep(0)
        runners, self._runners = self._runners, []
        for runner in runners:
            await runner.cleanup()

    async def close(self) -> None:
        await self.stop()
        await self.traffic.close()

    @property
    def api_address(self) -> str:
        return f"127.0.0.1:{self.api_port}"

    @property
    def command(self) -> tuple[str, ...]:
        """Takes `-c FILE -t` and `-c FILE -s reload`, as `nginx_cmd` does."""
        return (sys.executable, "-IS", str(_COMMAND), str(self.control_port))

    def servers(self, upstream: str) -> list[str]:
        """The addresses that an upstream has now, in drain or not."""
        return [server.server for server in self.upstreams[upstream].servers]

    def has(self, upstream: str, servers: Collection[str]) -> bool:
        """Whether an upstream is there and has exactly these servers."""
        return upstream in self.upstreams and sorted(self.servers(upstream)) == sorted(servers)

    def _read(self) -> Conf:
        if self.conf_path is not None and self.conf_path.exists():
            return parse(self.conf_path.read_text())
        return parse(self.text)

    def _zones(self, conf: Conf) -> dict[str, Upstream]:
        return {
            name: Upstream(
                upstream,
                self.disk.get(upstream.state) if upstream.state else None,
                self.zone_servers,
            )
            for name, upstream in conf.upstreams.items()
        }

    def _take(self, conf: Conf, zones: dict[str, Upstream]) -> None:
        self.upstreams, self.answers, self.resolver = zones, conf.answers, conf.resolver
        self._loaded = datetime.now(UTC)

    async def _serve(self, handle: Any, port: int, tls: ssl.SSLContext | None = None) -> int:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", port))
        await web.SockSite(runner, listener, ssl_context=tls).start()
        self._listeners.append(listener)
        self._runners.append(runner)
        return int(runner.addresses[0][1])

    async def _control(self, request: web.Request) -> web.Response:
        """What the command line selects: `/check?file=…`, `/reload`. `/calls` counts them."""
        if request.path == "/calls":
            calls = dict(self.api.calls)
            self.api.forget_calls()
            return web.json_response(calls)
        try:
            if request.path == "/check":
                parse(await asyncio.to_thread(Path(request.query["file"]).read_text))
            else:
                await self.reload()
        except ConfError as error:
            file = request.query.get("file", str(self.conf_path))
            text = f"nginx: [emerg] {error.text} in {file}:{error.line}\n"
            return web.Response(status=400, text=text)
        return web.Response()


@contextlib.asynccontextmanager
async def running(nginx: NginxPlus) -> AsyncIterator[NginxPlus]:
    """Start `nginx`, and close it in the end."""
    await nginx.start()
    try:
        yield nginx
    finally:
        await nginx.close()


def _stamp(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
