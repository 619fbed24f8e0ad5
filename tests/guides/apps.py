"""Apps with servers that the simulator does not have: WebSocket, and gRPC over TLS."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from tests.templates.edge import certificate
from tests.templates.http2 import GrpcInstance

from drove_gateway.simulator import Simulator


@asynccontextmanager
async def chat_and_greeter(cluster: Simulator, directory: Path) -> AsyncIterator[None]:
    """Deploy `chat`, which echoes over WebSocket, and `greeter`, which speaks gRPC over TLS."""
    chat, greeter = await _deployed(cluster, "chat"), await _deployed(cluster, "greeter", "HTTPS")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate(directory, "greeter", "greeter.local"))
    tls.set_alpn_protocols(["h2"])
    grpc = GrpcInstance("greeter", greeter, tls)
    application = web.Application()
    application.router.add_get("/", _echo)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, *chat).start()
    try:
        yield
    finally:
        grpc.stop()
        await runner.cleanup()


async def _deployed(cluster: Simulator, name: str, port_type: str = "HTTP") -> tuple[str, int]:
    """Deploy an app whose only instance is an address; return that."""
    await cluster.deploy(name, instances=1, real=False, port_type=port_type)
    (instance,) = cluster.app(name).hosts()
    return instance.executor.hostname, instance.port


async def _echo(request: web.Request) -> web.WebSocketResponse:
    connection = web.WebSocketResponse()
    await connection.prepare(request)
    async for message in connection:
        await connection.send_str(message.data)
    return connection
