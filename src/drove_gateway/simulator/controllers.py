"""Controllers over HTTP: access, leadership, compression, and faults of the connection."""

import asyncio
import socket
import ssl
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import parse_qs

from aiohttp import web

from drove_gateway.simulator import framework
from drove_gateway.simulator.cluster import Cluster
from drove_gateway.simulator.delivery import Delivery
from drove_gateway.simulator.faults import Fault, FaultBook, spoil
from drove_gateway.simulator.listener import Listener, reset
from drove_gateway.simulator.responses import (
    ApiResponse,
    NotFoundError,
    Responses,
    not_leader,
    unauthorized,
)

EXCHANGES = 10_000
"""How many of its last requests a controller remembers."""

Post: TypeAlias = Callable[[str, bytes], ApiResponse]


@dataclass(frozen=True, slots=True)
class Access:
    """Who may send requests. Without a user and a token: everyone."""

    user: str | None = None
    password: str = ""
    token: str | None = None

    def allows(self, authorization: str | None) -> bool:
        """Whether this `Authorization` header is accepted. The case of `Basic` does not matter."""
        if authorization and authorization[:6].lower() == "basic ":
            authorization = f"Basic {authorization[6:]}"
        good = []
        if self.user is not None:
            credentials = b64encode(f"{self.user}:{self.password}".encode()).decode()
            good.append(f"Basic {credentials}")
        if self.token is not None:
            good.append(self.token)
        return not good or authorization in good


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response: the path below `/apis`, when the request came and when the
    response was ready (seconds of `time.monotonic`), and the number of bytes sent.
    """

    path: str
    begun: float
    answered: float
    bytes: int


class Controller:
    """A controller. It keeps its port while it is stopped.

    `requests` counts requests by path below `/apis`; `exchanges` has the last 10,000.
    """

    def __init__(
        self,
        number: int,
        *,
        cluster: Cluster,
        responses: Responses,
        post: Post,
        faults: FaultBook,
        access: Access,
        idle_timeout: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self.number = number
        self.host = ""
        self.port = 0
        self.requests: Counter[str] = Counter()
        self.exchanges: deque[Exchange] = deque(maxlen=EXCHANGES)
        self._scheme = "https" if tls else "http"
        self._cluster = cluster
        self._responses = responses
        self._post = post
        self._faults = faults
        self._access = access
        self._listener = Listener(self._handle, keep_alive=idle_timeout, tls=tls)
        self._reserved: socket.socket | None = None
        self._delivery = Delivery(cluster.stores[number].clock)

    @property
    def url(self) -> str:
        """The URL that clients are configured with."""
        return f"{self._scheme}://{self.address}"

    @property
    def address(self) -> str:
        """HOST:PORT, as the cluster names its leader."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it accepts connections."""
        return self._listener.listening

    async def start(self, host: str, port: int = 0) -> None:
        """Listen; on a later start, on the same port again."""
        if self._reserved is None:
            self._reserved = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
            self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._reserved.bind((host, port))
            self.host, self.port = host, self._reserved.getsockname()[1]
        await self._listener.open(self.host, self.port)

    async def stop(self) -> None:
        """Refuse connections and reset the open ones, as when the process is killed."""
        await self._listener.cut()

    async def release(self) -> None:
        """Stop for good and release the port."""
        await self.stop()
        if self._reserved is not None:
            self._reserved.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, begun = framework.route_of(request.path), time.monotonic()
        self.requests[path] += 1
        response = await self._deliver(request, path)
        body = response.body if isinstance(response, web.Response) else None
        size = len(body) if isinstance(body, bytes) else 0
        self.exchanges.append(Exchange(path, begun, time.monotonic(), size))
        return response

    async def _deliver(self, request: web.BaseRequest, path: str) -> web.StreamResponse:
        fault = self._faults.take(self.number, path)
        body = await request.read()
        if fault is None:
            return await self._delivery.response(request, self._respond(request, path, body))
        await asyncio.sleep(fault.delay)
        reply = spoil(fault, self._respond(request, path, body, fault.kind == "leads"))
        if fault.kind in CONNECTION_FAULTS:
            return await CONNECTION_FAULTS[fault.kind](request, fault, reply)
        return await self._delivery.response(request, reply)

    def _respond(
        self, request: web.BaseRequest, path: str, body: bytes, leads: bool = False
    ) -> ApiResponse:
        uri = request.rel_url.raw_path
        leads = leads or self._cluster.leader == self.number
        if uri == "/" and request.method == "GET":
            return self._front_page(leads)
        if refused := framework.refusal(request.method, uri, request.headers):
            return refused
        if not self._access.allows(request.headers.get("Authorization")):
            return unauthorized()
        if request.method == "OPTIONS":
            return framework.options(path) if leads else ApiResponse(500, b"", "", dated=False)
        return self._as_leader(request, path, body) if leads else not_leader()

    def _as_leader(self, request: web.BaseRequest, path: str, body: bytes) -> ApiResponse:
        if request.method == "POST":
            return self._post(path, body)
        try:
            query = parse_qs(request.query_string, keep_blank_values=True)
            return self._responses.get(path, query)
        except NotFoundError:
            return framework.page(404, request.rel_url.raw_path)

    def _front_page(self, leads: bool) -> ApiResponse:
        """Return the page for browsers: only the leader has it, and followers redirect there."""
        leader = self._cluster.leader
        if leads:
            return ApiResponse(200, b"<html><title>Drove</title></html>", "text/html")
        if leader is None:
            return not_leader()
        return framework.redirect(f"{self._scheme}://{self._cluster.addresses[leader]}/")


async def _begin(
    request: web.BaseRequest, reply: ApiResponse, length: int | None
) -> web.StreamResponse:
    headers = {**reply.headers, "Content-Type": reply.content_type}
    response = web.StreamResponse(status=reply.status, headers=headers)
    response.content_length = length
    response.force_close()
    await response.prepare(request)
    return response


async def _cut(request: web.BaseRequest, _: Fault, reply: ApiResponse) -> web.StreamResponse:
    response = await _begin(request, reply, len(reply.body))
    await response.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _drip(request: web.BaseRequest, fault: Fault, reply: ApiResponse) -> web.StreamResponse:
    response = await _begin(request, reply, len(reply.body))
    for position in range(len(reply.body)):
        await response.write(reply.body[position : position + 1])
        await asyncio.sleep(fault.interval)
    return response


async def _endless(request: web.BaseRequest, _: Fault, reply: ApiResponse) -> web.StreamResponse:
    response = await _begin(request, reply, None)
    await response.write(reply.body[:-1])
    while True:
        await response.write(b" " * 65_536)
        await asyncio.sleep(0.001)


async def _reset(request: web.BaseRequest, _: Fault, __: ApiResponse) -> web.StreamResponse:
    if request.transport is not None:
        reset(request.transport)
    return web.Response()


_Deliver: TypeAlias = Callable[
    [web.BaseRequest, Fault, ApiResponse], Coroutine[None, None, web.StreamResponse]
]

CONNECTION_FAULTS: Mapping[str, _Deliver] = {
    "cut": _cut,
    "drip": _drip,
    "endless": _endless,
    "reset": _reset,
}
