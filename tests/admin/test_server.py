"""Where the API listens, its TLS, and how it stops."""

import asyncio
import contextlib
import socket
import ssl
import subprocess
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aiohttp
import pytest
import structlog
from tests.admin.conftest import Api

from drove_gateway.admin import serve
from drove_gateway.admin.connections import most_connections
from drove_gateway.admin.hosts import is_known_host
from drove_gateway.admin.server import tls_context
from drove_gateway.config import Settings
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import ConfigError

Pair = tuple[Path, Path]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    """A certificate for 127.0.0.1, signed by itself, and its key."""
    return certificate(tmp_path_factory.mktemp("tls"), "gateway")


def certificate(folder: Path, name: str, *options: str) -> Pair:
    cert, key = folder / f"{name}.pem", folder / f"{name}.key"
    subject = ("-subj", "/CN=gateway", "-addext", "subjectAltName=IP:127.0.0.1")
    files = ("-keyout", str(key), "-out", str(cert))
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2")
    subprocess.run(
        ["openssl", "req", "-x509", *kind, *subject, *files, *(options or ("-nodes",))],
        check=True,
        capture_output=True,
    )
    return cert, key


def with_tls(pair: Pair) -> Settings:
    cert, key = pair
    return Settings(
        port=0, port_use_tls=True, port_tls_certfile=str(cert), port_tls_keyfile=str(key)
    )


def trusting(pair: Pair, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(pair[0]))
    context.maximum_version = newest
    return context


def running(api: Api, settings: Settings) -> AbstractAsyncContextManager[int]:
    return serve(
        settings,
        sources=api.sources(),
        actions=api.actions(),
        log=EventLog(structlog.get_logger()),
    )


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_tls_uses_the_configured_certificate(
    pair: Pair, client: aiohttp.ClientSession, newest: ssl.TLSVersion
) -> None:
    async with running(Api(), with_tls(pair)) as port:
        url = f"https://127.0.0.1:{port}/"
        async with client.get(url, ssl=trusting(pair, newest)) as answer:
            assert answer.status == 200
            assert "version: 1.2.3" in await answer.text()


async def test_plain_http_is_refused_on_a_tls_port(
    pair: Pair, client: aiohttp.ClientSession
) -> None:
    async with running(Api(), with_tls(pair)) as port:
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"http://127.0.0.1:{port}/")


def test_tls_older_than_1_2_is_refused(pair: Pair) -> None:
    assert tls_context(*map(str, pair)).minimum_version is ssl.TLSVersion.TLSv1_2


def test_missing_certificate_is_reported_with_its_key() -> None:
    with pytest.raises(ConfigError, match=r"port_tls_certfile = '/no/such.*No such file"):
        tls_context("/no/such.pem", "/no/such.key")


def test_key_of_another_certificate_is_reported(pair: Pair, tmp_path: Path) -> None:
    _, other_key = certificate(tmp_path, "other")

    with pytest.raises(ConfigError, match="the key does not belong to the certificate"):
        tls_context(str(pair[0]), str(other_key))


def test_file_without_a_certificate_is_reported(pair: Pair, tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("not a certificate\n")

    with pytest.raises(ConfigError, match="not a certificate and a key in PEM format"):
        tls_context(str(junk), str(pair[1]))


def test_encrypted_key_is_reported_without_a_prompt(tmp_path: Path) -> None:
    cert, key = certificate(tmp_path, "locked", "-passout", "pass:sesame")

    with pytest.raises(ConfigError, match="the key is encrypted"):
        tls_context(str(cert), str(key))


async def test_port_in_use_is_reported_with_how_to_find_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port = {port}.*ss -ltnp 'sport = :{port}'"):
            async with running(Api(), Settings(port=port)):
                pass


async def test_address_of_another_machine_is_reported() -> None:
    with pytest.raises(ConfigError, match="this machine does not have the address"):
        async with running(Api(), Settings(address="192.0.2.1", port=0)):
            pass


async def test_stop_closes_the_listener_and_idle_connections() -> None:
    async with running(Api(), Settings(port=0)) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")

    rest = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert rest.endswith(b"date: 2026-11-22\n")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)


async def test_open_pages_do_not_delay_the_stop(client: aiohttp.ClientSession) -> None:
    async with running(Api(), Settings(port=0)) as port:
        pages = [await client.get(f"http://127.0.0.1:{port}/ui/events") for _ in range(3)]
        begin = time.monotonic()

    assert time.monotonic() - begin < 1
    for page in pages:
        assert await asyncio.wait_for(page.read(), 10) == b": alive\n\n"


async def test_same_port_can_be_used_again_immediately() -> None:
    async with running(Api(), Settings(port=0)) as port:
        pass
    async with running(Api(), Settings(port=port)) as again:
        assert again == port


async def test_invalid_request_gets_400_and_does_no_harm(
    api: Api, client: aiohttp.ClientSession
) -> None:
    port = int(api.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16\x03\x01 nonsense\r\n\r\n")
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()

    async with client.get(f"{api.url}/") as answer:
        assert answer.status == 200


async def test_endless_headers_are_refused(api: Api) -> None:
    port = int(api.url.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 100_000 + b"\r\n")
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 10)
    writer.close()


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("", True),
        ("127.0.0.1:6000", True),
        ("localhost:6000", True),
        ("LOCALHOST", True),
        ("gateway.localhost", True),
        ("[::1]:6000", True),
        ("10.1.2.3", True),
        ("gateway.example.com:6000", True),
        ("evil.example", False),
        ("evil.example:6000", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("[evil]:1", False),
    ],
)
def test_host_is_known_by_address_as_localhost_or_when_it_is_allowed(
    host: str, allowed: bool
) -> None:
    assert is_known_host(host, {"gateway.example.com"}) is allowed


@pytest.mark.parametrize(
    ("settings", "read", "act"),
    [
        ({}, 403, 403),
        ({"admin_allowed_hosts": ["Evil.example"]}, 200, 200),
        ({"admin_token": "t"}, 403, 401),
        ({"admin_token": "t", "admin_read_token": "r"}, 401, 401),
        ({"address": "0.0.0.0"}, 200, 200),
    ],
)
async def test_page_of_an_unknown_host_neither_reads_nor_acts_on_loopback_without_tokens(
    client: aiohttp.ClientSession, settings: dict[str, object], read: int, act: int
) -> None:
    evil = {"Host": "evil.example"}
    async with running(Api(), Settings.model_validate({"port": 0, **settings})) as port:
        url = f"http://127.0.0.1:{port}"
        async with client.get(f"{url}/v1/config", headers=evil) as answer:
            assert answer.status == read
        async with client.post(f"{url}/v1/accept", headers=evil) as answer:
            assert answer.status == act
        async with client.get(f"{url}/", headers=evil) as answer:
            assert answer.status == 200


async def test_idle_connections_make_room_and_the_api_stays_reachable(
    client: aiohttp.ClientSession,
) -> None:
    api = Api()
    with structlog.testing.capture_logs() as logs:
        async with running(api, Settings(port=0)) as port:
            idle = [
                await asyncio.open_connection("127.0.0.1", port)
                for _ in range(most_connections() + 40)
            ]
            async with client.get(f"http://127.0.0.1:{port}/") as answer:
                assert answer.status == 200
            first, *_, last = [reader for reader, _ in idle]
            assert await asyncio.wait_for(first.read(), 5) == b""
            assert not last.at_eof()
            for _, writer in idle:
                writer.close()
    (warning,) = [each for each in logs if each["event"] == "http_api_full"]
    assert warning["limit"] == most_connections()


async def test_handshakes_that_never_end_make_room_and_the_api_stays_reachable(
    pair: Pair, client: aiohttp.ClientSession
) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running(Api(), with_tls(pair)) as port:
            silent = [
                await asyncio.open_connection("127.0.0.1", port)
                for _ in range(most_connections() + 40)
            ]
            async with client.get(f"https://127.0.0.1:{port}/", ssl=trusting(pair)) as answer:
                assert answer.status == 200
            first, *_, last = [reader for reader, _ in silent]
            # A handshake may take five seconds; these end before that.
            with contextlib.suppress(ConnectionResetError):
                assert await asyncio.wait_for(first.read(), 3) == b""
            assert not last.at_eof()
        # What is left ends with the server, not with its time.
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(last.read(), 3) == b""
        for _, writer in silent:
            writer.close()
    (warning,) = [each for each in logs if each["event"] == "http_api_full"]
    assert warning["limit"] == most_connections()


async def test_a_handshake_under_way_does_not_cost_a_connection_with_a_request(
    pair: Pair, client: aiohttp.ClientSession
) -> None:
    async with running(Api(), with_tls(pair)) as port:
        url, writers = f"https://127.0.0.1:{port}/", []
        for _ in range(3):
            for _ in range(most_connections()):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"\x16\x03\x01\x02")
                writers.append(writer)
            async with client.get(url, ssl=trusting(pair)) as answer:
                assert answer.status == 200
        for writer in writers:
            writer.close()


async def test_a_request_sent_together_with_the_end_of_the_handshake_is_answered(
    pair: Pair,
) -> None:
    context = trusting(pair)
    async with running(Api(), with_tls(pair)) as port:
        for _ in range(20):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname="127.0.0.1")
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            while True:
                try:
                    tls.do_handshake()
                except ssl.SSLWantReadError:
                    writer.write(outgoing.read())
                    incoming.write(await asyncio.wait_for(reader.read(65536), 5))
                else:
                    break
            tls.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            writer.write(outgoing.read())
            assert (await decrypted(tls, incoming, reader)).startswith(b"HTTP/1.1 200")
            writer.close()


async def decrypted(
    tls: ssl.SSLObject, incoming: ssl.MemoryBIO, reader: asyncio.StreamReader
) -> bytes:
    """Return the first data that arrives."""
    while True:
        incoming.write(await asyncio.wait_for(reader.read(65536), 5))
        with contextlib.suppress(ssl.SSLWantReadError):
            return tls.read(65536)
