"""One controller over real sockets: what is asked, and what becomes of every kind of answer."""

import asyncio
import base64
import gzip

import pytest
from aiohttp import web
from tests.drove.client_bench import (
    APPS,
    NOBODY,
    NOT_LEADER,
    PONG,
    Handler,
    answering,
    asking,
    endpoints,
    request_head,
    serving,
    serving_raw,
)

from drove_gateway.drove.leader import Standing
from drove_gateway.drove.listing import EndpointsDecoder
from drove_gateway.drove.session import Credentials, credentials
from drove_gateway.model.errors import ControllerRefused


@pytest.mark.parametrize(
    ("handler", "standing", "message"),
    [
        (answering(PONG), Standing.LEADS, "OK"),
        (
            answering(NOT_LEADER, status=400),
            Standing.STANDS_BY,
            "400 Bad Request: This node is not the leader controller",
        ),
        (
            answering(b"Who?", status=401),
            Standing.UNWELL,
            "401 Unauthorized: Who? (check the namespace's `user` and `pass`, or `access_token`)",
        ),
        (answering(b"", status=503), Standing.UNWELL, "503 Service Unavailable"),
        (
            answering(b"<"),
            Standing.UNWELL,
            (
                "the response is not from a Drove controller: "
                "JSON is malformed: invalid character (byte 0): '<'"
            ),
        ),
        (
            answering({"status": "FAILED", "message": "no"}),
            Standing.UNWELL,
            "the response's status is 'FAILED': no",
        ),
    ],
)
async def test_a_ping_shows_which_controller_leads(
    handler: Handler, standing: Standing, message: str
) -> None:
    async with serving(handler) as url, asking(url) as controller:
        ping = await controller.ping()
        assert (ping.standing, ping.message, ping.answered) == (standing, message, True)


async def test_a_controller_that_is_gone_is_absent() -> None:
    async with serving(answering(PONG)) as url:
        gone = url
    async with asking(gone) as controller:
        ping = await controller.ping()
        assert ping.standing is Standing.ABSENT
        assert not ping.answered
        assert "cannot be reached" in ping.message


async def test_a_controller_that_does_not_respond_in_time_is_unwell() -> None:
    async def handler(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with serving_raw(handler) as url, asking(url, seconds=0.05) as controller:
        ping = await controller.ping()
        assert ping.standing is Standing.UNWELL
        assert ping.message == "no response within 0.05 s"


async def test_endpoints_are_fetched_and_decoded() -> None:
    async with serving(answering(APPS)) as url, asking(url) as controller:
        assert [app.app_id for app in (await endpoints(controller)).apps] == ["web-1"]


async def test_events_are_requested_since_the_time_that_was_given() -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        event = {"type": "APP_STATE_CHANGE", "id": "1", "time": 1719977632050, "metadata": {}}
        data = {"events": [event], "lastSyncTime": 1719977632050}
        body = {"status": "SUCCESS", "data": data}
        return web.json_response(body, headers={"Date": "Fri, 27 Nov 2026 11:58:31 GMT"})

    async with serving(handler) as url, asking(url + "/") as controller:
        page = await controller.events(1719977632000)
        assert page.last_sync == 1719977632050
        assert page.clock == 1795780711000
        assert asked == ["/apis/v1/cluster/events/latest?lastSyncTime=1719977632000&size=1024"]


async def test_apps_are_requested_by_their_names() -> None:
    asked = []

    async def handler(request: web.Request) -> web.Response:
        asked.append(request.query.getall("app", []))
        return web.Response(body=APPS)

    decoder = EndpointsDecoder("stage")
    async with serving(handler) as url, asking(url) as controller:
        await controller.endpoints(decoder)
        listing, ignored = await controller.endpoints_of(frozenset({"web", "a&b /%ü"}), decoder)
        assert listing is not None
        assert not ignored
        assert asked == [[], ["a&b /%ü", "web"]]


@pytest.mark.parametrize(
    ("who", "header"),
    [
        (NOBODY, None),
        (
            credentials(user="guest", password="a:b", access_token=""),
            "Basic " + base64.b64encode(b"guest:a:b").decode(),
        ),
        (credentials(user="", password="", access_token="O-Bearer x"), "O-Bearer x"),
        (credentials(user="guest", password="guest", access_token="O-Bearer x"), "O-Bearer x"),
    ],
)
async def test_credentials_are_sent_with_every_call(who: Credentials, header: str | None) -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        assert request.headers["Accept"] == "application/json"
        assert request.headers["Accept-Encoding"] == "gzip"
        return web.json_response(PONG)

    async with serving(handler) as url, asking(url, who=who) as controller:
        await controller.ping()
        assert seen == [header]


async def test_credentials_are_in_no_message() -> None:
    who = credentials(user="guest", password="s3cret", access_token="")

    async def echo(request: web.Request) -> web.Response:
        return web.Response(status=401, text=f"{request.headers['Authorization']} s3cret")

    async with serving(echo) as url, asking(url, who=who) as controller:
        with pytest.raises(ControllerRefused) as caught:
            await endpoints(controller)
    assert "s3cret" not in str(caught.value) + repr(who)
    assert who.authorization.removeprefix("Basic ") not in str(caught.value) + repr(who)


async def test_a_refusal_names_namespace_controller_route_status_and_message() -> None:
    handler = answering(b"down\x1b[31m for\r\nmaintenance" + b"!" * 9000, status=503)
    async with serving(handler) as url, asking(url) as controller:
        with pytest.raises(ControllerRefused) as caught:
            await endpoints(controller)
    message = str(caught.value)
    assert message.startswith(
        f"namespace stage: controller {url}: GET /apis/v1/endpoints: 503 Service Unavailable: "
        "down�[31m for maintenance!!!"
    )
    assert len(message) < 400
    assert caught.value.status == 503


async def test_redirects_are_not_followed() -> None:
    async def handler(request: web.Request) -> web.Response:
        assert request.path == "/apis/v1/endpoints"
        return web.Response(status=302, headers={"Location": "/elsewhere"})

    async with serving(handler) as url, asking(url) as controller:
        with pytest.raises(ControllerRefused, match=r"302 Found.*redirects are not followed"):
            await endpoints(controller)


async def test_a_compressed_response_is_read() -> None:
    handler = answering(gzip.compress(APPS), headers={"Content-Encoding": "gzip"})
    async with serving(handler) as url, asking(url) as controller:
        assert len((await endpoints(controller)).apps) == 1


async def test_a_kept_connection_that_the_controller_closed_is_not_an_error() -> None:
    connections = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await request_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(APPS) + APPS)
        await writer.drain()
        await request_head(reader)

    async with serving_raw(handler) as url, asking(url) as controller:
        first = await endpoints(controller)
        assert await endpoints(controller) == first
        assert len(connections) == 2


async def test_a_connection_is_kept_for_the_next_call() -> None:
    peers = set()

    async def handler(request: web.Request) -> web.Response:
        assert request.transport
        peers.add(request.transport.get_extra_info("peername"))
        return web.Response(body=APPS)

    async with serving(handler) as url, asking(url) as controller:
        for _ in range(5):
            await endpoints(controller)
        assert len(peers) == 1
