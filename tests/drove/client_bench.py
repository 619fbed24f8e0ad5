"""A client of Drove, and servers that respond to it as a test says."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
from aiohttp import web

from drove_gateway.drove.client import Controller
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing
from drove_gateway.drove.session import Credentials, open_session

TLS = Path(__file__).parent / "tls"

NOBODY = Credentials()

PONG = {"status": "SUCCESS", "data": "pong"}

NOT_LEADER = {"status": "FAILED", "message": "This node is not the leader controller"}

APP = {
    "appName": "web",
    "appId": "web-1",
    "vhost": "web.local",
    "hosts": [{"host": "ex1.dc", "port": 33857, "portType": "HTTP"}],
}

APPS = msgspec.json.encode({"status": "SUCCESS", "data": [APP]})

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

RawHandler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[str]:
    """A server that answers every request with `handler`; gives its URL."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, 0, ssl_context=tls)
        await site.start()
        port = runner.addresses[0][1]
        yield f"{'https' if tls else 'http'}://{host}:{port}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def serving_raw(handler: RawHandler) -> AsyncIterator[str]:
    """A server that speaks no HTTP but what `handler` writes; gives its URL."""

    open_now: dict[asyncio.StreamWriter, asyncio.Task[None] | None] = {}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_now[writer] = asyncio.current_task()
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in open_now:
            writer.transport.abort()
        await asyncio.gather(*(task for task in open_now.values() if task))


@contextlib.asynccontextmanager
async def asking(
    url: str,
    *,
    who: Credentials = NOBODY,
    seconds: float = 10.0,
    tls_ca_file: str = "",
    tls_skip_verify: bool = False,
) -> AsyncIterator[Controller]:
    async with open_session(
        who, tls_ca_file=tls_ca_file, tls_skip_verify=tls_skip_verify
    ) as session:
        yield Controller(
            url,
            namespace="stage",
            session=session,
            credentials=who,
            api_timeout=seconds,
            ping_timeout=seconds,
        )


def answering(body: object, *, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    """A handler that always gives `body`, as JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=content, status=status, headers=headers)

    return handler


async def endpoints(controller: Controller) -> EndpointsListing:
    return await controller.endpoints(EndpointsDecoder("stage"))


async def request_head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")
