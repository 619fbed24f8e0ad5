"""NGINX's texts are understood whatever form they come in."""

import msgspec
import pytest

from drove_gateway.proxies.nginx.plus.wire import (
    Identity,
    Server,
    Upstream,
    address,
    canonical,
    milliseconds,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10s", 10_000),
        ("0s", 0),
        ("500ms", 500),
        ("1m", 60_000),
        ("1m 30s", 90_000),
        ("1h30m", 5_400_000),
        ("10", 10_000),
        ("", None),
        ("ten", None),
        ("10s!", None),
    ],
)
def test_times_are_compared_by_what_they_mean(text: str, expected: int | None) -> None:
    assert milliseconds(text) == expected


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("10.0.0.1", 80, "10.0.0.1:80"),
        ("::1", 8080, "[::1]:8080"),
        ("[2001:db8::1]", 8080, "[2001:db8::1]:8080"),
        ("2001:DB8:0:0:0:0:0:1", 8080, "[2001:db8::1]:8080"),
    ],
)
def test_addresses_are_written_as_nginx_writes_them(host: str, port: int, expected: str) -> None:
    assert address(host, port) == expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("10.0.0.1:80", "10.0.0.1:80"),
        ("[2001:DB8::0:1]:80", "[2001:db8::1]:80"),
        ("unix:/run/app.sock", "unix:/run/app.sock"),
        ("[broken:80", "[broken:80"),
    ],
)
def test_an_ipv6_address_has_one_form(shown: str, expected: str) -> None:
    assert canonical(shown) == expected


def test_the_documentations_example_of_a_server_is_read() -> None:
    example = b"""{"id": 1, "server": "10.0.0.1:8089", "weight": 4, "max_conns": 0,
        "max_fails": 0, "fail_timeout": "10s", "slow_start": "10s", "route": "",
        "backup": true, "down": true}"""
    read = msgspec.json.decode(example, type=Server)
    assert read == Server(1, "10.0.0.1:8089", 0, "10s", "10s", backup=True, down=True)


def test_the_documentations_example_of_an_upstream_is_read() -> None:
    example = b"""{"peers": [{"id": 0, "server": "10.0.0.1:8088", "name": "10.0.0.1:8088",
        "backup": false, "weight": 5, "state": "draining", "active": 3, "max_conns": 20,
        "responses": {"codes": {}}, "health_checks": {"checks": 26214}}],
        "keepalive": 0, "zombies": 0, "zone": "upstream_backend"}"""
    peer = msgspec.json.decode(example, type=Upstream).peers[0]
    assert peer.active == 3
    assert (peer.server, peer.state) == ("10.0.0.1:8088", "draining")


def test_the_documentations_example_of_nginx_is_read() -> None:
    example = b"""{"version": "1.17.3", "build": "nginx-plus-r19", "address": "206.251.255.64",
        "generation": 6, "load_timestamp": "2019-10-01T11:15:44.467Z",
        "timestamp": "2019-10-01T09:26:07.305Z", "pid": 32212, "ppid": 32210}"""
    read = msgspec.json.decode(example, type=Identity)
    assert (read.generation, read.ppid, read.build) == (6, 32210, "nginx-plus-r19")
