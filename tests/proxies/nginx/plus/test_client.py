"""The client against the stand-in: versions, errors in words, limits."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import structlog
from tests.benches.in_process import CountingMetrics
from tests.standins.nginx_plus.faults import Fault
from tests.standins.nginx_plus.server import NginxPlus, running

from drove_gateway.log.event_log import EventLog
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import ApiCut, ApiDown, ApiRefused, Client

FIELDS: dict[str, int | str] = {"max_fails": 0, "fail_timeout": "1s", "slow_start": "0s"}
CONF = "upstream a { zone a 64k; } upstream fixed { server 10.0.0.1:80; }"


@pytest.fixture
async def nginx() -> AsyncIterator[NginxPlus]:
    async with running(NginxPlus(CONF)) as server:
        yield server


class Asking:
    """A client that is closed in the end."""

    def __init__(self, access: Access | NginxPlus, timeout: float = 5.0) -> None:
        if isinstance(access, NginxPlus):
            access = Access(access.api_address)
        self.metrics = CountingMetrics()
        self.client = Client(
            access, timeout=timeout, metrics=self.metrics, log=EventLog(structlog.get_logger())
        )

    async def __aenter__(self) -> Client:
        return self.client

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()


@pytest.mark.parametrize(
    ("offered", "used"), [(range(1, 10), 9), (range(1, 9), 8), (range(1, 15), 9), ([4, 2, 3], 4)]
)
async def test_the_newest_version_that_both_know_is_used(
    nginx: NginxPlus, offered: list[int], used: int
) -> None:
    nginx.api.versions = list(offered)
    async with Asking(nginx) as client:
        await client.servers("a")
        await client.servers("a")
    assert [path for _, path in nginx.api.log] == [
        "/api/",
        f"/api/{used}/http/upstreams/a/servers/",
        f"/api/{used}/http/upstreams/a/servers/",
    ]


async def test_an_nginx_that_is_too_old_is_said_to_be(nginx: NginxPlus) -> None:
    nginx.api.versions = [1]
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused, match=r"offers the API versions \[1\], none of 2 to 9"):
            await client.servers("a")


async def test_the_version_is_negotiated_anew_after_a_downgrade(nginx: NginxPlus) -> None:
    async with Asking(nginx) as client:
        await client.servers("a")
        nginx.api.versions = list(range(1, 9))
        with pytest.raises(ApiRefused, match="UnknownVersion"):
            await client.servers("a")
        assert list(await client.servers("a")) == []


async def test_connections_are_kept(nginx: NginxPlus) -> None:
    async with Asking(nginx) as client:
        await asyncio.gather(*(client.servers("a") for _ in range(50)))
        await client.servers("a")
    assert len(nginx.api._idle) <= 16


async def test_every_change_answers_with_what_stands(nginx: NginxPlus) -> None:
    async with Asking(nginx) as client:
        added = await client.add("a", "10.0.0.9:80", FIELDS)
        assert (added.server, added.max_fails, added.fail_timeout) == ("10.0.0.9:80", 0, "1s")
        assert (await client.change("a", added.id, {"drain": True})).drain
        assert not (await client.change("a", added.id, {"drain": False})).drain
        (peer,) = (await client.upstreams())["a"].peers
        assert (peer.server, peer.state, peer.active) == ("10.0.0.9:80", "up", 0)
        assert list(await client.delete("a", added.id)) == []


@pytest.mark.parametrize(
    ("upstream", "words"),
    [
        ("missing", "404 UpstreamNotFound: upstream not found; the configuration"),
        ("fixed", "400 UpstreamStatic: upstream is static; the upstream needs a `zone`"),
        ("a/b?c", "404 UpstreamNotFound"),
    ],
)
async def test_a_refusal_has_the_apis_own_words_and_advice(
    nginx: NginxPlus, upstream: str, words: str
) -> None:
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused) as caught:
            await client.servers(upstream)
    assert words in str(caught.value)
    assert nginx.api_address in str(caught.value)


async def test_a_refused_server_is_named(nginx: NginxPlus) -> None:
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused) as caught:
            await client.add("a", "not an address", FIELDS)
        assert (caught.value.status, caught.value.code) == (400, "UpstreamBadAddress")
        assert '"not an address"' in str(caught.value)
        with pytest.raises(ApiRefused, match="UpstreamServerNotFound"):
            await client.delete("a", 77)


async def test_a_location_without_write_says_what_it_needs(nginx: NginxPlus) -> None:
    nginx.api.write = False
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused, match=r"405 MethodDisabled.*api write=on"):
            await client.add("a", "10.0.0.9:80", FIELDS)


@pytest.mark.parametrize("status", [301, 404, 409, 413, 415, 429, 500, 502, 503])
async def test_an_answer_that_is_not_the_apis_keeps_its_status(
    nginx: NginxPlus, status: int
) -> None:
    nginx.api.faults.append(Fault("status", status=status, body=b"\xff<html>oops"))
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused, match=rf"answered {status}: .*<html>oops") as caught:
            await client.servers("a")
    assert caught.value.status == status
    assert caught.value.code == ""


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1,", b'{"a":1}', b"\xff\xfe", b'[{"id":"x"}]'])
async def test_garbage_is_not_taken_for_an_answer(nginx: NginxPlus, body: bytes) -> None:
    nginx.api.faults.append(Fault("garbage", path=".*servers/", body=body))
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused, match="something that is not NGINX Plus's API"):
            await client.servers("a")


async def test_redirects_are_not_followed(nginx: NginxPlus) -> None:
    nginx.api.faults.append(Fault("redirect"))
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused, match="answered 302"):
            await client.servers("a")
    assert len(nginx.api.log) == 1


async def test_a_hanging_api_is_given_up_in_time(nginx: NginxPlus) -> None:
    nginx.api.faults.append(Fault("hang", path=".*servers/"))
    async with Asking(nginx, timeout=0.05) as client:
        with pytest.raises(ApiDown, match=r"was not answered within 0\.05 s"):
            await client.servers("a")


async def test_an_api_that_is_not_there_is_down() -> None:
    async with Asking(Access("127.0.0.1:1")) as client:
        with pytest.raises(ApiDown, match=r"cannot reach NGINX Plus's API at http://127.0.0.1:1/"):
            await client.servers("a")


@pytest.mark.parametrize("kind", ["drop", "lose"])
async def test_a_cut_connection_differs_from_a_refusal(nginx: NginxPlus, kind: str) -> None:
    nginx.api.faults.append(Fault(kind, method="POST"))  # type: ignore[arg-type]
    async with Asking(nginx) as client:
        with pytest.raises(ApiCut, match="was cut off"):
            await client.add("a", "10.0.0.9:80", FIELDS)
    assert nginx.servers("a") == ([] if kind == "drop" else ["10.0.0.9:80"])


async def test_basic_auth(nginx: NginxPlus) -> None:
    nginx.api.user, nginx.api.password = "gateway", "s3cret:ä"
    async with Asking(nginx) as client:
        with pytest.raises(ApiRefused, match=r"401.*nginxplusapi_user"):
            await client.servers("a")
    async with Asking(Access(nginx.api_address, "gateway", "s3cret:ä")) as client:
        assert list(await client.servers("a")) == []


async def test_a_wrong_password_is_not_shown(nginx: NginxPlus) -> None:
    nginx.api.user, nginx.api.password = "gateway", "right"
    async with Asking(Access(nginx.api_address, "gateway", "hush-hush")) as client:
        with pytest.raises(ApiRefused) as caught:
            await client.servers("a")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/api"),
        ("[::1]:8080", "http://[::1]:8080/api"),
        ("http://lb:8080", "http://lb:8080/api"),
        ("https://lb", "https://lb/api"),
        ("https://lb/api/", "https://lb/api"),
        ("https://lb/plus", "https://lb/plus/api"),
    ],
)
def test_forms_of_the_address(address: str, url: str) -> None:
    assert Access(address).url == url


async def test_every_call_is_counted_by_what_it_came_to(nginx: NginxPlus) -> None:
    asking = Asking(nginx)
    async with asking as client:
        await client.identity()
        await client.add("a", "10.0.0.9:80", FIELDS)
        with pytest.raises(ApiRefused):
            await client.add("a", "10.0.0.9:80", {**FIELDS, "max_fails": -1})
    assert asking.metrics.calls == {
        ("list_versions", True): 1,
        ("identity", True): 1,
        ("add_http_server", True): 1,
        ("add_http_server", False): 1,
    }


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    directory = tmp_path_factory.mktemp("tls")
    certificate, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        f"openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 "
        f"-addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}".split(),
        check=True,
        capture_output=True,
    )
    return certificate, key


async def test_tls_is_verified_unless_told_otherwise(certificate: tuple[Path, Path]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    nginx = NginxPlus(CONF)
    await nginx.start(tls=context)
    url = f"https://{nginx.api_address}"
    try:
        async with Asking(Access(url)) as client:
            with pytest.raises(ApiDown, match="certificate verify failed"):
                await client.servers("a")
        async with Asking(Access(url, ca_file=str(certificate[0]))) as client:
            assert list(await client.servers("a")) == []
        async with Asking(Access(url, skip_verify=True)) as client:
            assert list(await client.servers("a")) == []
    finally:
        await nginx.close()


async def test_a_ca_file_that_cannot_be_read_is_named() -> None:
    async with Asking(Access("https://127.0.0.1:1", ca_file="/nowhere/ca.pem")) as client:
        with pytest.raises(ApiDown, match=r"nginxplusapi_ca_file /nowhere/ca\.pem: No such file"):
            await client.servers("a")


async def test_debug_shows_each_call_without_credentials(nginx: NginxPlus) -> None:
    access = Access(nginx.api_address, user="operator", password="s3cret-word")
    client = Client(
        access,
        timeout=5.0,
        metrics=CountingMetrics(),
        log=EventLog(structlog.get_logger()),
    )
    with structlog.testing.capture_logs() as lines:
        await client.add("a", "10.0.0.9:80", {"max_fails": 0})
        with pytest.raises(ApiRefused):
            await client.servers("unknown")
    await client.close()
    shown = [(line["event"], line["proxy"], line["command"].split()[0]) for line in lines]
    assert shown == [
        ("runtime_command", "NGINX", "GET"),
        ("runtime_command", "NGINX", "POST"),
        ("runtime_command", "NGINX", "GET"),
    ]
    assert '"server":"10.0.0.9:80"' in lines[1]["command"]
    assert lines[1]["reply"].startswith("201 ")
    assert lines[2]["reply"].startswith("404 ")
    assert "s3cret-word" not in str(lines)
