"""Addresses have one spelling, and durations are NGINX's."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.proxies.nginx.lua.lua_modules import Modules, RefusedError

_MODULES = Modules()


def normal(text: object) -> object:
    return _MODULES.run('return require("drove_gateway.address").normal', text)


def milliseconds(text: object) -> object:
    return _MODULES.run('return require("drove_gateway.address").milliseconds', text)


@given(st.ip_addresses(v=6), st.integers(1, 65535), st.booleans())
def test_ipv6_has_the_compressed_spelling(
    ip: ipaddress.IPv6Address, port: int, exploded: bool
) -> None:
    text = ip.exploded if exploded else ip.compressed.upper()
    assert normal(f"[{text}]:{port}") == f"[{ip.compressed}]:{port}"


@given(st.text("0123456789abcf:.", max_size=24))
def test_ipv6_is_what_python_says_it_is(text: str) -> None:
    try:
        expected = f"[{ipaddress.IPv6Address(text).compressed}]:80"
    except ValueError:
        with pytest.raises(RefusedError):
            normal(f"[{text}]")
    else:
        if "." not in text:
            assert normal(f"[{text}]") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", "10.0.0.1:80"),
        ("10.0.0.1:08080", "10.0.0.1:8080"),
        ("[::1]", "[::1]:80"),
        ("[::ffff:10.0.0.1]:90", "[::ffff:a00:1]:90"),
        ("unix:/run/app/a-1.sock", "unix:/run/app/a-1.sock"),
    ],
)
def test_addresses(text: str, expected: str) -> None:
    assert normal(text) == expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        *((text, "UpstreamBadAddress") for text in ("", ":80", "[::1", "[::1]x", "10.0.0.1:")),
        *((text, "UpstreamBadAddress") for text in ("10.0.0.1:0", "10.0.0.1:65536", "a b")),
        *((text, "UpstreamBadAddress") for text in (7, True, "unix:relative", "unix:/a;b")),
        *((text, "UpstreamConfNoResolver") for text in ("app.example:80", "10.0.0.256:80")),
    ],
)
def test_addresses_that_are_refused(text: object, code: str) -> None:
    with pytest.raises(RefusedError, match=code):
        normal(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("10s", 10_000), ("500ms", 500), ("7", 7000), ("1m 30s", 90_000), ("1h30m", 5_400_000)],
)
def test_durations(text: str, expected: int) -> None:
    assert milliseconds(text) == expected


@pytest.mark.parametrize("text", ["", "s", "-1s", "1.5s", "1x", "10 s x", 10, True, "9999999999s"])
def test_what_is_not_a_duration(text: object) -> None:
    assert milliseconds(text) is None
