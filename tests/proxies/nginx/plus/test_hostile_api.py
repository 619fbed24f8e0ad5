"""An API of NGINX Plus that is slow, endless, huge, wrong or hostile: it costs nobody anything."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.proxies.nginx.plus.rig import rigged, topology
from tests.standins.nginx_plus.faults import Fault
from tests.standins.nginx_plus.server import NginxPlus, running
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import ApiRefused, Client

A, B = "10.0.0.1:80", "10.0.0.2:80"
TWO = "upstream a.example { zone a 64k; } upstream b.example { zone b 64k; }"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

Talk = Callable[[asyncio.StreamWriter], Awaitable[None]]


async def a_byte_at_a_time(writer: asyncio.StreamWriter) -> None:
    for byte in HEAD + b"\r\n" + b"[" * 1_000_000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.02)


async def an_endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n[")
    while True:
        writer.write(b"1," * 10)
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b"X-A: b\r\n" * 1000)
        await writer.drain()


async def interim_responses_without_end(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def half_a_body(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 100\r\n\r\n[1,")
    await writer.drain()


async def chunks_that_are_none(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n")
    await writer.drain()


async def something_else_than_http(writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await writer.drain()


async def a_compressed_body(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nxyz")
    await writer.drain()


async def nothing(writer: asyncio.StreamWriter) -> None:
    del writer
    await asyncio.sleep(60)


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[str]:
    """A server that reads a request and then talks; gives its HOST:PORT."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@asynccontextmanager
async def client_of(
    address: str, timeout: float = 0.5, most_bytes: int = 1 << 28
) -> AsyncIterator[Client]:
    log = EventLog(structlog.get_logger())
    made = Client(
        Access(address),
        timeout=timeout,
        metrics=CountingMetrics(),
        log=log,
        most_bytes=most_bytes,
    )
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize(
    "talk",
    [
        a_byte_at_a_time,
        an_endless_body,
        endless_headers,
        interim_responses_without_end,
        half_a_body,
        chunks_that_are_none,
        something_else_than_http,
        a_compressed_body,
        nothing,
    ],
)
async def test_a_call_ends_within_its_time_with_an_error_in_words(talk: Talk) -> None:
    async with talking(talk) as address, client_of(address) as client:
        begin = time.monotonic()
        with pytest.raises(RuntimeApiError, match=address):
            await client.identity()
        assert time.monotonic() - begin < 2


async def test_a_body_beyond_the_limit_is_refused_while_it_arrives() -> None:
    async def huge(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    async with talking(huge) as address, client_of(address, 20, 1 << 20) as client:
        with pytest.raises(ApiRefused, match="more than 1 MiB"):
            await client.identity()


DIGITS = "9" * 5000
SERVER = {"id": 0, "server": A, "max_fails": 0, "fail_timeout": "1s", "slow_start": "0s"}

WRONG: list[tuple[str, object]] = [
    ("a port of thousands of digits", [SERVER | {"server": f"10.0.0.9:{DIGITS}"}]),
    ("an IPv6 address with such a port", [SERVER | {"server": f"[::1]:{DIGITS}"}]),
    ("a port in other digits", [SERVER | {"server": "10.0.0.9:\u0968\u00b2"}]),
    ("an address that is none", [SERVER | {"server": "[::1"}]),
    ("an empty address", [SERVER | {"server": ""}]),
    ("a time of thousands of digits", [SERVER | {"fail_timeout": f"{DIGITS}s"}]),
    ("a time in other digits", [SERVER | {"slow_start": "\u0968s"}]),
    ("control characters", [SERVER | {"server": "\x1b[31m10.0.0.9:80\n\u202e"}]),
    ("an id beyond 64 bits", [SERVER | {"id": 2**80}]),
    ("the same id again and again", [SERVER] * 500),
    ("half of a surrogate pair", b'[{"id": 1, "server": "\\ud800:80"}]'),
    ("deep nesting", b'[{"id": 1, "server": "x", "y": ' + b"[" * 100_000),
    ("null", None),
    ("a number beyond any float", b"1e999999"),
    ("not UTF-8", b'[{"id": 1, "server": "\xff"}]'),
]


@pytest.mark.parametrize("wrong", [body for _, body in WRONG], ids=[name for name, _ in WRONG])
async def test_what_an_upstream_shows_wrongly_costs_no_other_upstream_and_ends_with_it(
    tmp_path: Path, wrong: object
) -> None:
    body = wrong if isinstance(wrong, bytes) else json.dumps(wrong).encode()
    nginx = NginxPlus(TWO)
    fault = Fault("garbage", method="GET", path=".*a.example.*", body=body)
    nginx.api.faults.append(fault)
    async with (
        running(nginx),
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A], "b.example": [B]}), "start")
        await until(lambda: nginx.servers("b.example") == [B])
        await fault.met.wait()
        await asyncio.sleep(0.3)
        gateway.desire(topology({"a.example": [A], "b.example": [A, B]}), "scaled")
        await until(lambda: sorted(nginx.servers("b.example")) == [A, B])
        fault.times = 0
        await until(lambda: nginx.servers("a.example") == [A])
        await until(lambda: rig.updates == (True, "OK"))


IDENTITIES: list[object] = [
    {"generation": -1, "ppid": -1},
    {"generation": 2**62, "ppid": 2**62},
    {"generation": 2**80},
    {"build": "drove-gateway-lua", "load_timestamp": DIGITS},
    {"build": "x" * 1_000_000},
    {},
]


@pytest.mark.parametrize("identity", IDENTITIES, ids=range(len(IDENTITIES)))
async def test_an_absurd_identity_stops_no_change(tmp_path: Path, identity: object) -> None:
    nginx = NginxPlus(TWO)
    fault = Fault("garbage", path="/api/./nginx", body=json.dumps(identity).encode(), times=20)
    async with (
        running(nginx),
        rigged(nginx, tmp_path, template=None) as rig,
        rig.running() as gateway,
    ):
        gateway.desire(topology({"a.example": [A]}), "start")
        await until(lambda: nginx.servers("a.example") == [A])
        nginx.api.faults.append(fault)
        await fault.met.wait()
        gateway.desire(topology({"a.example": [A, B]}), "scaled")
        await until(lambda: sorted(nginx.servers("a.example")) == [A, B])
        await until(lambda: rig.updates == (True, "OK"))


REFUSALS = [
    b'{"error": {"text": ' + b"[" * 100_000,
    b'{"error": {"text": "' + b"x" * 5_000_000 + b'"}}',
    b'{"error": 17}',
    b"\xff" * 1000,
]


@pytest.mark.parametrize("body", REFUSALS, ids=["deep nesting", "5 MB", "a number", "not UTF-8"])
async def test_an_absurd_refusal_is_an_error_of_a_few_words(body: bytes) -> None:
    nginx = NginxPlus(TWO)
    nginx.api.faults.append(Fault("status", path=".*servers/", status=500, body=body))
    async with running(nginx), client_of(nginx.api_address, 5) as client:
        with pytest.raises(ApiRefused, match="answered 500") as caught:
            await client.servers("a.example")
    assert len(str(caught.value)) < 2000
