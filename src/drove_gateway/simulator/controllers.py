"""Controllers over HTTP: who may ask, who leads, compression, and faults on the connection."""

import asyncio
import gzip
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

from drove_gateway.simulator.answers import Answer, Answers, not_leader, unauthorized
from drove_gateway.simulator.cluster import Cluster
from drove_gateway.simulator.faults import Fault, FaultBook, spoil
from drove_gateway.simulator.listener import Listener, reset

GZIP_FROM = 256
THREAD_FROM = 262_144
"""Bodies of this size and more are compressed beside the event loop."""

EXCHANGES = 10_000
"""How many of its last requests a controller remembers."""

Post: TypeAlias = Callable[[str, bytes], Answer]


@dataclass(frozen=True, slots=True)
class Access:
    """Whom the controllers answer. Without a user and a token: everyone."""

    user: str | None = None
    password: str = ""
    token: str | None = None

    def allows(self, authorization: str | None) -> bool:
        """Whether this `Authorization` header will do."""
        good = []
        if self.user is not None:
            credentials = b64encode(f"{self.user}:{self.password}".encode()).decode()
            good.append(f"Basic {credentials}")
        if self.token is not None:
            good.append(self.token)
        return not good or authorization in good


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer: the path below `/apis`, when it came and when the answer was
    ready (seconds of `time.monotonic`), and the answer's bytes as they are sent.
    """

    path: str
    begun: float
    answered: float
    bytes: int


class Controller:
    """One controller. Its port stays its own while it is stopped.

    `requests` counts what it was asked, by path below `/apis`; `exchanges` has the last ones.
    """

    def __init__(
        self,
        number: int,
        *,
        cluster: Cluster,
        answers: Answers,
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
        self._answers = answers
        self._post = post
        self._faults = faults
        self._access = access
        self._listener = Listener(self._handle, keep_alive=idle_timeout, tls=tls)
        self._reserved: socket.socket | None = None
        self._compressed: tuple[bytes, bytes] = (b"", b"")

    @property
    def url(self) -> str:
        """What a client is configured with."""
        return f"{self._scheme}://{self.address}"

    @property
    def address(self) -> str:
        """HOST:PORT, as the cluster tells its leader."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it takes connections."""
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
        """Stop for good and give the port back."""
        await self.stop()
        if self._reserved is not None:
            self._reserved.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, begun = request.path.removeprefix("/apis"), time.monotonic()
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
            return await self._response(request, self._answer(request, path, body))
        await asyncio.sleep(fault.delay)
        answer = spoil(fault, self._answer(request, path, body, fault.kind == "leads"))
        if fault.kind in CONNECTION_FAULTS:
            return await CONNECTION_FAULTS[fault.kind](request, fault, answer)
        return await self._response(request, answer)

    def _answer(
        self, request: web.BaseRequest, path: str, body: bytes, leads: bool = False
    ) -> Answer:
        if not self._access.allows(request.headers.get("Authorization")):
            return unauthorized()
        if self._cluster.leader != self.number and not leads:
            return not_leader()
        if request.method == "POST":
            return self._post(path, body)
        return self._answers.get(path, parse_qs(request.query_string, keep_blank_values=True))

    async def _response(self, request: web.BaseRequest, answer: Answer) -> web.Response:
        headers = dict(answer.headers)
        body = answer.body
        if len(body) >= GZIP_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
            body = await self._gzip(body)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return web.Response(
            status=answer.status, body=body, content_type=answer.content_type, headers=headers
        )

    async def _gzip(self, body: bytes) -> bytes:
        if self._compressed[0] is not body:
            if len(body) < THREAD_FROM:
                return gzip.compress(body, 1)
            self._compressed = (body, await asyncio.to_thread(gzip.compress, body, 1))
        return self._compressed[1]


async def _begin(
    request: web.BaseRequest, answer: Answer, length: int | None
) -> web.StreamResponse:
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = answer.content_type
    response.content_length = length
    response.force_close()
    await response.prepare(request)
    return response


async def _cut(request: web.BaseRequest, _: Fault, answer: Answer) -> web.StreamResponse:
    response = await _begin(request, answer, len(answer.body))
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def _drip(request: web.BaseRequest, fault: Fault, answer: Answer) -> web.StreamResponse:
    response = await _begin(request, answer, len(answer.body))
    for position in range(len(answer.body)):
        await response.write(answer.body[position : position + 1])
        await asyncio.sleep(fault.interval)
    return response


async def _endless(request: web.BaseRequest, _: Fault, answer: Answer) -> web.StreamResponse:
    response = await _begin(request, answer, None)
    await response.write(answer.body[:-1])
    while True:
        await response.write(b" " * 65_536)
        await asyncio.sleep(0.001)


async def _reset(request: web.BaseRequest, _: Fault, __: Answer) -> web.StreamResponse:
    if request.transport is not None:
        reset(request.transport)
    return web.Response()


_Deliver: TypeAlias = Callable[
    [web.BaseRequest, Fault, Answer], Coroutine[None, None, web.StreamResponse]
]

CONNECTION_FAULTS: Mapping[str, _Deliver] = {
    "cut": _cut,
    "drip": _drip,
    "endless": _endless,
    "reset": _reset,
}
