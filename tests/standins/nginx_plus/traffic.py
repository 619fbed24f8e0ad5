"""The stand-in's data path: requests go to the upstream that their Host header names.

Round robin over the servers that are neither down, nor draining, nor taken out by `max_fails`
within `fail_timeout`; a server that cannot be connected to is followed by the next one, as
`proxy_next_upstream error timeout` does. Connections on both sides are kept.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import aiohttp
from aiohttp import web
from tests.standins.nginx_plus.zone import Upstream, ZoneServer

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "content-length",
        "te",
        "trailer",
        "upgrade",
        "date",
        "server",
    }
)


class Traffic:
    """Forwards requests. `upstreams` gives the ones of the generation that serves now."""

    def __init__(
        self, upstreams: Callable[[], dict[str, Upstream]], answers: Callable[[], dict[str, str]]
    ) -> None:
        self._upstreams = upstreams
        self._answers = answers
        self._session: aiohttp.ClientSession | None = None

    async def handle(self, request: web.Request) -> web.Response:
        if request.path in self._answers():
            return web.Response(text=self._answers()[request.path])
        upstream = self._upstreams().get(request.host.partition(":")[0])
        if upstream is None:
            return web.Response(status=404, text="no such host")
        body = await request.read()
        for server in _turns(upstream):
            try:
                with _counted(server):
                    return await self._forward(server, request, body)
            except aiohttp.ClientConnectorError:
                server.fails += 1
                server.failures.append(time.monotonic())
            except (aiohttp.ClientError, OSError) as error:
                return web.Response(status=502, text=f"{server.server}: {error!r}")
        return web.Response(status=502, text="no live upstreams")

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _forward(self, server: ZoneServer, request: web.Request, body: bytes) -> web.Response:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=None)
            )
        async with self._session.request(
            request.method,
            f"http://{server.server}{request.path_qs}",
            headers={**_kept(request.headers), "Host": request.host},
            data=body or None,
            allow_redirects=False,
        ) as answer:
            content = await answer.read()
            return web.Response(status=answer.status, body=content, headers=_kept(answer.headers))


def _turns(upstream: Upstream) -> Iterator[ZoneServer]:
    """Each server that may take a request, once, beginning with the one whose turn it is."""
    live = [server for server in upstream.servers if _takes_requests(server)]
    regular = [server for server in live if not server.backup] or live
    upstream.turn += 1
    start = upstream.turn % len(regular) if regular else 0
    yield from (*regular[start:], *regular[:start])


def _takes_requests(server: ZoneServer) -> bool:
    if server.down or server.drain:
        return False
    since = time.monotonic() - server.fail_timeout / 1000
    server.failures = [when for when in server.failures if when > since]
    return server.max_fails == 0 or len(server.failures) < server.max_fails


@contextmanager
def _counted(server: ZoneServer) -> Iterator[None]:
    server.active += 1
    server.requests += 1
    try:
        yield
    finally:
        server.active -= 1


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}
