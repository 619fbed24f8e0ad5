"""A gateway refuses requests that are for a gateway of another proxy."""

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from drove_gateway.admin.addressee import HEADER, digest, only_for

OWN, OTHER = "haproxy /etc/haproxy/a.cfg", "haproxy /etc/haproxy/b.cfg"


async def status(headers: dict[str, str]) -> tuple[int, str]:
    """The status and text of the response to a request with these headers."""

    async def done(_: web.Request) -> web.Response:
        return web.Response(text="done")

    app = web.Application(middlewares=[only_for(OWN)])
    app.router.add_post("/v1/accept", done)
    async with TestClient(TestServer(app)) as client:
        response = await client.post("/v1/accept", headers=headers)
        return response.status, await response.text()


async def test_a_request_for_another_proxy_is_refused_and_says_what_to_do() -> None:
    code, text = await status({HEADER: digest(OTHER)})
    assert code == 421
    assert "another gateway responds here" in text
    assert "/etc" not in text


async def test_a_request_for_this_proxy_or_without_a_proxy_is_carried_out() -> None:
    assert await status({HEADER: digest(OWN)}) == (200, "done")
    assert await status({}) == (200, "done")
