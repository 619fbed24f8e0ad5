"""What a client of Drove does with a body or a head that is hostile."""

import asyncio
import gzip

import msgspec
import pytest
from tests.drove.client_bench import (
    APPS,
    answering,
    asking,
    endpoints,
    request_head,
    serving,
    serving_raw,
)

from drove_gateway.drove.excerpt import Hide, as_it_is
from drove_gateway.drove.listing import EndpointsDecoder, Reading
from drove_gateway.drove.session import credentials
from drove_gateway.model.errors import BadResponse, ControllerDown


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
