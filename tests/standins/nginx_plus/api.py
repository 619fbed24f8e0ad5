"""The HTTP API of the stand-in, as the documentation of `ngx_http_api_module` says."""

import asyncio
import base64
import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import unquote

from aiohttp import web
from tests.standins.nginx_plus.faults import Fault, before, cut
from tests.standins.nginx_plus.zone import (
    PATCH_FIELDS,
    POST_FIELDS,
    Refusal,
    Upstream,
    checked,
)

ENDPOINTS = ["nginx", "processes", "connections", "slabs", "http", "resolvers", "ssl", "workers"]


class State(Protocol):
    """What the API shows and changes."""

    upstreams: dict[str, Upstream]
    resolver: bool

    def identity(self) -> dict[str, Any]: ...

    def save(self, upstream: Upstream) -> None: ...


class Api:
    """Answers `/api/…`. Counts every call by method and by kind of path."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.versions = list(range(1, 10))
        self.write = True
        self.refuse_duplicates = False
        self.user = ""
        self.password = ""
        self.faults: list[Fault] = []
        self.calls: Counter[str] = Counter()
        self.log: list[tuple[str, str]] = []
        self._idle: set[asyncio.BaseTransport] = set()

    def total(self) -> int:
        return sum(self.calls.values())

    def forget_calls(self) -> None:
        self.calls.clear()
        self.log.clear()

    def close_idle_connections(self) -> None:
        """What a worker that leaves does with the connections on which nothing is asked."""
        idle, self._idle = self._idle, set()
        for transport in idle:
            transport.close()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request on a connection that may be used again."""
        connection = request.transport
        if connection is None:
            return web.Response()
        self._idle.discard(connection)
        try:
            return await self._handle(request)
        finally:
            if not connection.is_closing():
                self._idle.add(connection)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.log.append((request.method, request.path))
        fault = next((fault for fault in self.faults if fault.matches(request)), None)
        if fault is not None:
            spoilt = await before(fault, request)
            if spoilt is not None:
                self.calls[f"{request.method} spoilt"] += 1
                return spoilt
        if self.user and request.headers.get("Authorization") != self._credentials():
            return web.Response(status=401, body=b"<html>401 Authorization Required</html>")
        try:
            answer = await self._answer(request)
        except Refusal as refusal:
            answer = _error(refusal)
        if fault is not None and fault.kind == "lose":
            cut(request)
        return answer

    async def _answer(self, request: web.Request) -> web.Response:
        parts = [unquote(part) for part in request.rel_url.raw_path.split("/") if part][1:]
        if not parts:
            self.calls["GET versions"] += 1
            return _json(self.versions)
        if not parts[0].isdigit() or int(parts[0]) not in self.versions:
            raise Refusal(404, "UnknownVersion", "unknown version")
        version, path = int(parts[0]), parts[1:]
        if path[:2] == ["http", "upstreams"]:
            return await self._upstreams(request, version, path[2:])
        if path == ["nginx"]:
            self._count(request, "nginx", "GET")
            return _json(_fields(request, self.state.identity()))
        if path:
            raise Refusal(404, "PathNotFound", "path not found")
        self.calls["GET endpoints"] += 1
        return _json(ENDPOINTS)

    async def _upstreams(self, request: web.Request, version: int, path: list[str]) -> web.Response:
        match path:
            case []:
                self._count(request, "upstreams", "GET")
                return _json(self._all(request))
            case [name]:
                self._count(request, "upstream", "GET")
                return _json(_fields(request, _status(self._find(name))))
            case [name, "servers"]:
                self._count(request, "servers", "GET", "POST")
                return await self._servers(request, name, version)
            case [name, "servers", server_id]:
                self._count(request, "server", "GET", "PATCH", "DELETE")
                return await self._server(request, name, server_id, version)
        raise Refusal(404, "PathNotFound", "path not found")

    def _count(self, request: web.Request, kind: str, *methods: str) -> None:
        self.calls[f"{request.method} {kind}"] += 1
        if request.method not in methods:
            raise Refusal(405, "MethodDisabled", "method disabled")
        if request.method != "GET" and not self.write:
            raise Refusal(405, "MethodDisabled", "method disabled")

    def _all(self, request: web.Request) -> dict[str, Any]:
        return {
            name: _fields(request, _status(upstream))
            for name, upstream in self.state.upstreams.items()
            if upstream.zone and not upstream.hidden
        }

    def _find(self, name: str, *, create: bool = False) -> Upstream:
        upstream = self.state.upstreams.get(name)
        if upstream is None or (upstream.hidden and not create):
            raise Refusal(404, "UpstreamNotFound", "upstream not found")
        if not upstream.zone:
            raise Refusal(400, "UpstreamStatic", "upstream is static")
        return upstream

    async def _servers(self, request: web.Request, name: str, version: int) -> web.Response:
        if request.method == "GET":
            return _json([server.configuration() for server in self._find(name).servers])
        upstream = self._find(name, create=True)
        fields = await self._body(request, POST_FIELDS, version)
        if "server" not in fields:
            raise Refusal(400, "UpstreamConfFormatError", 'missing "server" argument')
        if self.refuse_duplicates and fields["server"] in {
            server.server for server in upstream.servers
        }:
            raise Refusal(409, "EntryExists", "entry exists")
        server = upstream.append(fields)
        self.state.save(upstream)
        return _json(server.configuration(), status=201)

    async def _server(
        self, request: web.Request, name: str, server_id: str, version: int
    ) -> web.Response:
        upstream = self._find(name)
        server = upstream.find(server_id)
        if request.method == "GET":
            return _json(server.configuration())
        if request.method == "DELETE":
            upstream.remove(server)
            self.state.save(upstream)
            return _json([server.configuration() for server in upstream.servers])
        server.set(await self._body(request, PATCH_FIELDS, version))
        self.state.save(upstream)
        return _json(server.configuration())

    async def _body(
        self, request: web.Request, known: frozenset[str], version: int
    ) -> dict[str, Any]:
        try:
            body = json.loads(await request.read())
        except ValueError:
            raise Refusal(415, "JsonError", "JSON error: parsing failed") from None
        fields = known if version > 1 else known - {"drain"}
        return checked(body, fields, resolver=self.state.resolver)

    def _credentials(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


def _status(upstream: Upstream) -> dict[str, Any]:
    return {
        "peers": [server.status() for server in upstream.servers],
        "keepalive": 0,
        "zombies": upstream.zombies,
        "zone": upstream.zone,
    }


def _fields(request: web.Request, shown: dict[str, Any]) -> dict[str, Any]:
    if "fields" not in request.query:
        return shown
    names = [name for name in request.query["fields"].split(",") if name]
    return {name: shown[name] for name in names if name in shown}


_dumps: Callable[[Any], str] = json.dumps


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(status=status, text=_dumps(value), content_type="application/json")


def _error(refusal: Refusal) -> web.Response:
    return _json(
        {
            "error": {"status": refusal.status, "text": refusal.text, "code": refusal.code},
            "request_id": "54b3f1a0d5e25ab5d7b0b1e3ad1c9f4b",
            "href": "https://nginx.org/en/docs/http/ngx_http_api_module.html",
        },
        status=refusal.status,
    )
