"""A vhost whose port changes between HTTP and HTTPS, behind NGINX with the Lua balancer."""

import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from tests.proxies.nginx.lua.driver_rig import rigged, running
from tests.proxies.nginx.plus.rig import app, host
from tests.traffic import free_port, get
from tests.waiting import until

from drove_gateway.model.vocabulary import App, HostGroup, Topology

TLS = Path(__file__).parents[3] / "drove" / "tls"
VHOST = "shop.test"


@contextlib.asynccontextmanager
async def instance(port: int, port_type: str) -> AsyncIterator[None]:
    """An instance that responds with its protocol on `port`."""

    async def respond(request: web.Request) -> web.Response:
        return web.Response(text=request.scheme)

    context = None
    if port_type == "https":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    application = web.Application()
    application.router.add_get("/{path:.*}", respond)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=context).start()
    try:
        yield
    finally:
        await runner.cleanup()


def speaking(port: int, port_type: str) -> Topology:
    """A vhost with an instance on `port`."""
    hosts = (host(f"127.0.0.1:{port}", port_type),)
    served = App(VHOST, VHOST, hosts, {}, {VHOST: HostGroup(hosts, {})}, "")
    return Topology({VHOST: served, "other.test": app("other.test", ["10.0.0.1:80"])}, {})


@pytest.mark.parametrize("order", [("http", "https", "http"), ("https", "http", "https")])
async def test_the_same_port_is_spoken_to_in_the_protocol_that_drove_lists(
    short_path: Path, order: tuple[str, ...]
) -> None:
    port = free_port()
    async with running(short_path) as nginx, rigged(nginx) as rig, rig.running():
        for port_type in order:
            async with instance(port, port_type):
                await rig.reach(speaking(port, port_type))

                async def right(expected: str = port_type) -> bool:
                    return await get(nginx.port, VHOST) == (200, expected)

                await until(right)
                for _ in range(5):
                    assert await right()
