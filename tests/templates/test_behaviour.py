"""The behaviour table: a request and what must come back, for each shipped template and proxy.

The proxies run as long as the module's tests need them. NGINX Plus itself cannot be installed here;
its template runs with NGINX, which takes the servers from the file.
"""

import re
import socket
import ssl
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.templates import http2
from tests.templates.behind_the_edge import Bench
from tests.templates.edge import (
    Edge,
    has_ipv6,
    running,
)
from tests.traffic import free_port


@pytest.fixture(scope="module")
def plain(pair: tuple[str, Path], bench: Bench) -> Iterator[Edge]:
    """A proxy without any setting."""
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        with running(*pair, Path(directory), bench.desired, {}) as edge:
            yield edge


@pytest.fixture(scope="module")
def edge(pair: tuple[str, Path], bench: Bench, certificates: Path) -> Iterator[Edge]:
    """A proxy with all that an edge of a network wants."""
    variables = {
        "TLS_CERTIFICATES": str(certificates),
        "PROXY_HTTPS_PORT": str(free_port()),
        "HTTPS_REDIRECT": "on",
        "HSTS_SECONDS": "86400",
        "ACME_ADDRESS": f"127.0.0.1:{bench.acme.port}",
        "TRUSTED_PROXIES": "127.0.0.1/32, 10.0.0.0/8",
    }
    with tempfile.TemporaryDirectory(prefix="dg-", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        with running(*pair, Path(directory), bench.desired, variables) as running_edge:
            yield running_edge


class TestWithoutSettings:
    def test_vhost_is_found_in_any_spelling(self, plain: Edge) -> None:
        for name in ("web.local", "WEB.local", "web.local:8080", "web.local."):
            assert plain.get(name).told["name"] in {"one", "two"}, name

    def test_unknown_vhost_is_404(self, plain: Edge) -> None:
        answer = plain.get("nobody.local")
        assert (answer.status, "retry-after" in answer.headers) == (404, False)
        assert "no such vhost" in answer.body

    def test_vhost_without_a_reachable_server_is_503_with_retry_after(self, plain: Edge) -> None:
        for method in ("GET", "POST"):
            answer = plain.get("dead.local", method=method)
            assert (answer.status, answer.headers.get("retry-after")) == (503, "5")

    def test_request_to_a_single_server_that_is_dead_fails_within_a_second(
        self, plain: Edge
    ) -> None:
        begin = time.monotonic()
        answer = plain.get("lonely.local")
        assert (answer.status, answer.headers.get("retry-after")) == (503, "5")
        # The second allows for a busy machine.
        assert time.monotonic() - begin < 1.0 + 1.0

    def test_vhost_without_http_servers_is_503(self, plain: Edge) -> None:
        answer = plain.get("raw.local")
        assert (answer.status, answer.headers.get("retry-after")) == (503, "5")

    def test_failures_of_the_app_pass_unchanged(self, plain: Edge) -> None:
        for status in (404, 500, 503):
            answer = plain.get("web.local", f"/{status}")
            assert (answer.status, "retry-after" in answer.headers) == (status, False)
            assert answer.told["name"] in {"one", "two"}

    def test_large_response_header_passes(self, plain: Edge) -> None:
        assert len(plain.get("web.local", "/header/12000").headers["x-long"]) == 12000

    def test_large_request_header_passes(self, plain: Edge) -> None:
        assert len(plain.get("web.local", X_Long="x" * 12000).told["x-long"]) == 12000

    def test_time_limits_are_those_of_the_original(self, plain: Edge) -> None:
        text = plain.shipped.config.read_text()
        line = "proxy_read_timeout 120s;" if plain.shipped.nginx else "timeout server 120s"
        assert line in text

    def test_clients_of_ipv6_are_served_where_the_machine_has_it(self, plain: Edge) -> None:
        if has_ipv6():
            answer = plain.get("web.local", address="::1")
            assert answer.told["x-forwarded-for"] == "::1"
        else:
            assert "[::]" not in plain.shipped.config.read_text()

    def test_web_socket_passes(self, plain: Edge) -> None:
        with socket.create_connection(("127.0.0.1", plain.shipped.port), timeout=20) as client:
            client.sendall(
                b"GET /chat HTTP/1.1\r\nHost: web.local\r\nConnection: Upgrade\r\n"
                b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            )
            stream = client.makefile("rb")
            assert stream.readline().startswith(b"HTTP/1.1 101 ")
            while stream.readline().strip():
                pass
            client.sendall(b"hello\n")
            assert stream.readline() == b"hello\n"

    def test_http_2_without_tls_is_not_passed_on(self, plain: Edge) -> None:
        response = exchange(
            plain,
            "Upgrade: h2c",
            "Connection: Upgrade, HTTP2-Settings, close",
            "HTTP2-Settings: AAMAAABkAAQ",
        )
        assert response.startswith(b"HTTP/1.1 200 ")
        assert b'"upgrade"' not in response

    def test_headers_with_underscores_invent_nothing(self, plain: Edge) -> None:
        names = ("X_Forwarded_Proto", "x-forwarded_proto", "X_FORWARDED-Host")
        response = exchange(plain, "Connection: close", *(f"{name}: invented" for name in names))
        assert response.startswith(b"HTTP/1.1 200 ")
        assert b"invented" not in response

    def test_slow_response_arrives(self, plain: Edge) -> None:
        assert plain.get("web.local", "/slow/1.5").status == 200

    def test_request_says_what_the_client_requested(self, plain: Edge) -> None:
        received = plain.get("web.local").told
        assert received["host"] == "web.local"
        assert received["x-forwarded-for"] == "127.0.0.1"
        assert received["x-forwarded-proto"] == "http"
        assert received["x-forwarded-host"] == "web.local"
        assert received["x-forwarded-port"] == str(plain.shipped.port)

    def test_clients_cannot_change_what_the_app_learns_of_the_request(self, plain: Edge) -> None:
        received = plain.get(
            "web.local",
            X_Forwarded_Proto="https",
            X_Forwarded_Host="evil.example",
            X_Forwarded_Port="1",
        ).told
        assert received["x-forwarded-proto"] == "http"
        assert received["x-forwarded-host"] == "web.local"
        assert received["x-forwarded-port"] == str(plain.shipped.port)

    def test_request_has_an_id_and_keeps_its_own(self, plain: Edge) -> None:
        first, second = (plain.get("web.local").told["x-request-id"] for _ in range(2))
        assert len(first) >= 32
        assert first != second
        assert plain.get("web.local", X_Request_Id="mine").told["x-request-id"] == "mine"

    def test_request_that_ends_its_server_reaches_two_at_most(
        self, plain: Edge, bench: Bench
    ) -> None:
        for _ in range(6):
            plain.get("fragile.local")
        for method, most in (("GET", 2), ("POST", 1)):
            for each in bench.fragile:
                each.received.clear()
            answer = plain.get("fragile.local", "/crash", method=method, body="" or None)
            assert answer.status == 502
            assert 1 <= sum(each.received["/crash"] for each in bench.fragile) <= most

    def test_no_request_fails_while_most_servers_refuse_connections(self, plain: Edge) -> None:
        assert statuses_under_load(plain, "shrunk.local") == [200] * 320

    def test_tls_is_off(self, plain: Edge) -> None:
        text = plain.shipped.config.read_text()
        assert " ssl crt " not in text
        assert "ssl_certificate" not in text
        assert not re.search(r"(:|listen )443\b", text)


def exchange(edge: Edge, *headers: str) -> bytes:
    """Return the whole response to a request with exactly these headers."""
    lines = "".join(f"{line}\r\n" for line in ("GET /told HTTP/1.1", "Host: web.local", *headers))
    with (
        socket.create_connection(("127.0.0.1", edge.shipped.port), timeout=20) as client,
        client.makefile("rb") as stream,
    ):
        client.sendall(f"{lines}\r\n".encode())
        return stream.read()


def statuses_under_load(edge: Edge, vhost: str) -> list[int]:
    """Return the statuses of 320 requests from 8 clients at once; every fourth is a POST."""
    statuses: list[int] = []

    def ask() -> None:
        for number in range(40):
            method = "POST" if number % 4 == 0 else "GET"
            statuses.append(edge.get(vhost, method=method).status)

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return statuses


class TestAtTheEdge:
    def test_http_is_redirected_to_the_same_address_with_https(self, edge: Edge) -> None:
        answer = edge.get("web.local", "/a/b?c=d&e=%20")
        assert answer.status == 308
        assert answer.headers["location"] == f"https://web.local:{edge.https_port}/a/b?c=d&e=%20"

    def test_acme_challenges_are_passed_on_without_a_redirect(
        self, edge: Edge, bench: Bench
    ) -> None:
        path = "/.well-known/acme-challenge/token"
        for vhost in ("web.local", "new.local"):
            assert edge.get(vhost, path).told["name"] == bench.acme.name

    def test_https_clients_of_ipv6_are_served(self, edge: Edge) -> None:
        if has_ipv6():
            assert edge.get("web.local", tls=True, address="::1").told["name"] in {"one", "two"}

    def test_https_is_served_with_hsts(self, edge: Edge) -> None:
        answer = edge.get("web.local", tls=True)
        assert answer.told["x-forwarded-proto"] == "https"
        assert answer.told["x-forwarded-port"] == str(edge.https_port)
        assert answer.headers["strict-transport-security"] == "max-age=86400"
        assert edge.get("nobody.local", tls=True).status == 404
        assert edge.get("dead.local", tls=True).status == 503

    @pytest.mark.parametrize(
        ("name", "file"),
        [
            ("web.local", "web.local"),
            ("WEB.local", "web.local"),
            ("a.wild.local", "_.wild.local"),
            ("nobody.local", "default"),
            (None, "default"),
        ],
    )
    def test_certificate_is_that_of_the_name(
        self, edge: Edge, certificates: Path, name: str | None, file: str
    ) -> None:
        pem = (certificates / f"{file}.pem").read_text().partition("-----BEGIN PRIVATE")[0]
        assert edge.certificate(name) == ssl.PEM_cert_to_DER_cert(pem.strip())

    @pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
    def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(self, edge: Edge) -> None:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with edge.tls("web.local", newest=version) as connection:
                assert connection.version() == version.name.replace("_", ".")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            edge.tls("web.local", newest=ssl.TLSVersion.TLSv1_1, ciphers="ALL:@SECLEVEL=0")

    @pytest.mark.parametrize("weak", ["AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "ECDHE+CAMELLIA"])
    def test_weak_ciphers_are_refused(self, edge: Edge, weak: str) -> None:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            edge.tls("web.local", newest=ssl.TLSVersion.TLSv1_2, ciphers=f"{weak}:@SECLEVEL=0")

    def test_http_2_is_spoken(self, edge: Edge) -> None:
        with edge.tls("web.local", alpn=("h2", "http/1.1")) as connection:
            assert connection.selected_alpn_protocol() == "h2"
            headers = {
                ":method": "GET",
                ":scheme": "https",
                ":path": "/told",
                ":authority": "web.local",
            }
            fine, everything = http2.request(connection, headers)
        assert fine
        assert b'"name"' in everything

    def test_headers_of_a_trusted_load_balancer_are_believed(self, edge: Edge) -> None:
        received = self._told(edge, "127.0.0.1")
        assert received["x-forwarded-for"].split(", ")[0] == "203.0.113.7"
        assert received["x-forwarded-proto"] == "wss"
        assert received["x-forwarded-host"] == "outside.example"

    def test_headers_of_others_are_replaced(self, edge: Edge) -> None:
        received = self._told(edge, "127.0.0.2")
        assert received["x-forwarded-for"] == "127.0.0.2"
        assert received["x-forwarded-proto"] == "http"
        assert received["x-forwarded-host"] == "web.local"

    @staticmethod
    def _told(edge: Edge, source: str) -> dict[str, str]:
        """The headers of a request that is not redirected: the challenge's server shows them."""
        answer = edge.get(
            "web.local",
            "/.well-known/acme-challenge/x",
            source=source,
            X_Forwarded_For="203.0.113.7",
            X_Forwarded_Proto="wss",
            X_Forwarded_Host="outside.example",
        )
        return dict(answer.told)
