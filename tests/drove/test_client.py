"""One controller over real sockets: what is asked, and what becomes of every kind of answer."""

import asyncio
import base64
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from drove_gateway.drove.client import Controller
from drove_gateway.drove.excerpt import Hide, as_it_is
from drove_gateway.drove.leader import Standing
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing, Reading
from drove_gateway.drove.session import Credentials, credentials, open_session
from drove_gateway.model.errors import BadResponse, ConfigError, ControllerDown, ControllerRefused

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


@pytest.mark.parametrize(
    ("body", "encoding", "complaint"),
    [
        (gzip.compress(bytes(40_000_000)), "gzip", "longer than 33,554,432 bytes"),
        (bytes(40_000_000), "identity", "longer than 33,554,432 bytes"),
        (gzip.compress(APPS)[:-9], "gzip", "gzip data ends too early"),
        (gzip.compress(APPS) + b"more", "gzip", "after the end of its gzip"),
        (APPS, "gzip", "not valid gzip"),
        (APPS, "br", "encoding is 'br'"),
        (b"\xff" * 10_000_000, "identity", "not from a Drove controller"),
        (b"[" * 10_000_000, "identity", "not from a Drove controller"),
        (APPS[:-9], "identity", "not from a Drove controller: Input data was truncated"),
        (b'{"status":"FAILED","message":"Unexpected Server error"}', "identity", "Unexpected"),
    ],
    ids=range(10),
)
async def test_a_hostile_body_is_a_bad_response(body: bytes, encoding: str, complaint: str) -> None:
    handler = answering(body, headers={"Content-Encoding": encoding})
    async with serving(handler) as url, asking(url) as controller:
        with pytest.raises(BadResponse, match=complaint) as caught:
            await endpoints(controller)
        assert f"controller {url}: GET /apis/v1/endpoints" in str(caught.value)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"",
    ],
)
async def test_a_response_that_is_cut_off_is_a_controller_that_is_down(head: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(head + APPS[:20] if head.endswith(b"\n") else head)
        await writer.drain()

    async with serving_raw(handler) as url, asking(url) as controller:
        with pytest.raises(ControllerDown):
            await endpoints(controller)


@pytest.mark.parametrize("piece", [b"X-%d: y\r\n", b"X-%d: " + b"y" * 9000 + b"\r\n", b"y%d"])
async def test_endless_headers_are_not_read_to_their_end(piece: bytes) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(b"HTTP/1.1 200 OK\r\n")
        count = 0
        while not writer.is_closing():
            writer.write(piece % count)
            await writer.drain()
            await asyncio.sleep(0)
            count += 1

    async with serving_raw(handler) as url, asking(url) as controller:
        with pytest.raises(BadResponse, match="not HTTP"):
            await endpoints(controller)


async def test_a_reply_that_is_not_http_is_a_bad_response() -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_head(reader)
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()

    async with serving_raw(handler) as url, asking(url) as controller:
        with pytest.raises(BadResponse, match="not HTTP"):
            await endpoints(controller)


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


@pytest.fixture
def certificate() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(TLS / "server.pem", TLS / "server.key")
    return context


async def test_a_certificate_is_verified(certificate: ssl.SSLContext) -> None:
    async with serving(answering(APPS), certificate) as url, asking(url) as controller:
        with pytest.raises(ControllerDown, match="certificate is not trusted"):
            await endpoints(controller)
        assert (await controller.ping()).standing is Standing.UNWELL


async def test_a_certificate_of_the_configured_ca_is_trusted(certificate: ssl.SSLContext) -> None:
    ca = str(TLS / "ca.pem")
    async with (
        serving(answering(APPS), certificate) as url,
        asking(url, tls_ca_file=ca) as controller,
    ):
        assert len((await endpoints(controller)).apps) == 1


async def test_a_certificate_for_another_name_is_not_trusted(certificate: ssl.SSLContext) -> None:
    ca = str(TLS / "ca.pem")
    async with (
        serving(answering(APPS), certificate, host="127.0.0.2") as url,
        asking(url, tls_ca_file=ca) as controller,
    ):
        with pytest.raises(ControllerDown, match="certificate is not trusted"):
            await endpoints(controller)


async def test_verification_can_be_switched_off(certificate: ssl.SSLContext) -> None:
    async with (
        serving(answering(APPS), certificate) as url,
        asking(url, tls_skip_verify=True) as controller,
    ):
        assert len((await endpoints(controller)).apps) == 1


@pytest.mark.parametrize("content", [None, "not a certificate"])
async def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    ca = tmp_path / "ca.pem"
    if content:
        ca.write_text(content)
    with pytest.raises(ConfigError, match=r"tls_ca_file: .*ca\.pem cannot be used"):
        open_session(NOBODY, tls_ca_file=str(ca))


async def test_a_response_too_large_for_the_memory_is_refused() -> None:
    class Exhausted(EndpointsDecoder):
        def read(self, body: bytes, hide: Hide = as_it_is) -> Reading:
            raise MemoryError(f"{len(body)} bytes, {hide('secret')}")

    async with serving(answering(APPS)) as url, asking(url) as controller:
        with pytest.raises(BadResponse, match="not enough memory for the response"):
            await controller.endpoints(Exhausted("stage"))


@pytest.mark.parametrize(
    "garbage",
    [b"{}," * 1_500_000, b'{"appId":"x","hosts":0},' * 600_000, b"[" * 20_000_000],
    ids=["empty apps", "invalid apps", "nested"],
)
async def test_decoding_garbage_does_not_block_the_event_loop(garbage: bytes) -> None:
    body = b'{"status":"SUCCESS","data":[' + garbage + b"{}]}"
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(0.005)
            longest = max(longest, loop.time() - before)

    decoder = EndpointsDecoder("stage")
    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0.02)
    with pytest.raises(BadResponse):
        await asyncio.to_thread(decoder.read, body)
    ticking.cancel()
    assert longest < 0.25


async def test_a_refused_connection_says_what_to_check() -> None:
    async with serving(answering(PONG)) as url:
        gone = url
    async with asking(gone) as controller:
        with pytest.raises(ControllerDown, match="nothing listens there; check host and port"):
            await controller.events(0)


async def test_a_host_name_that_cannot_be_resolved_is_named() -> None:
    async with asking("http://nowhere.invalid:10000") as controller:
        with pytest.raises(ControllerDown, match=r"nowhere\.invalid cannot be resolved.*`drove`"):
            await controller.events(0)


async def test_a_certificate_that_is_not_trusted_names_the_keys_to_set(
    certificate: ssl.SSLContext,
) -> None:
    async with serving(answering(APPS), certificate) as url, asking(url) as controller:
        with pytest.raises(ControllerDown, match=r"`tls_ca_file`.*`tls_skip_verify = true`"):
            await controller.events(0)


async def test_tls_to_a_plain_port_is_said() -> None:
    async with (
        serving(answering(APPS)) as url,
        asking(url.replace("http:", "https:")) as controller,
    ):
        with pytest.raises(ControllerDown, match=r"does not speak TLS.*write http://"):
            await controller.events(0)


@pytest.mark.parametrize("reflected", ["{}", '"{}"', "x" * 470 + "{}", "x" * 110 + "{}"])
async def test_a_reflected_token_is_in_no_message_wherever_it_is_cut(reflected: str) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.s3cr3t-t0ken-of-fifty-three-chars"
    who = credentials(user="", password="", access_token=f"O-Bearer {token}")
    bodies = [
        reflected.format(token).encode(),
        msgspec.json.encode({"status": "FAILED", "message": reflected.format(token)}),
        msgspec.json.encode({"status": "SUCCESS", "data": [{"appId": reflected.format(token)}]}),
    ]
    for body in bodies:
        async with serving(answering(body)) as url, asking(url, who=who) as controller:
            with pytest.raises(BadResponse) as caught:
                await endpoints(controller)
            message = (await controller.ping()).message + str(caught.value)
        assert not any(token[at : at + 8] in message for at in range(len(token) - 7))
