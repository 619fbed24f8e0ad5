"""The address forms that an operator may write."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config.addresses import (
    SocketAddress,
    TcpSocket,
    UnixSocket,
    controller_url,
    nginx_plus_address,
    socket_address,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/haproxy/admin.sock", UnixSocket("/run/haproxy/admin.sock")),
        ("./admin.sock", UnixSocket("./admin.sock")),
        ("unix@admin.sock", UnixSocket("admin.sock")),
        ("unix@/run/admin@1.sock", UnixSocket("/run/admin@1.sock")),
        ("ipv4@127.0.0.1:9999", TcpSocket("127.0.0.1", 9999)),
        ("haproxy.local:9999", TcpSocket("haproxy.local", 9999)),
        ("[::1]:9999", TcpSocket("::1", 9999)),
        ("ipv6@[::1]:9999", TcpSocket("::1", 9999)),
        ("ipv6@2001:db8::1:9999", TcpSocket("2001:db8::1", 9999)),
        ("ipv6@fe80::1%eth0:9999", TcpSocket("fe80::1%eth0", 9999)),
    ],
)
def test_socket_address_forms(text: str, address: SocketAddress) -> None:
    assert socket_address(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "admin.sock",
        "unix@",
        "ipv4@127.0.0.1",
        "ipv4@:9999",
        "ipv6@localhost:9999",
        "abns@haproxy",
        "haproxy:0",
        "haproxy:65536",
        "haproxy:٣",
        "::1:9999",
        "/run/a\nb.sock",
        "/" + "x" * 107,
    ],
)
def test_other_socket_addresses_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        socket_address(text)


def test_a_path_of_a_unix_socket_may_have_107_bytes() -> None:
    path = "/" + "x" * 106
    assert socket_address(path) == UnixSocket(path)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://controller1:10000", "http://controller1:10000"),
        ("https://controller1", "https://controller1"),
        (" http://10.0.0.1:4000/ ", "http://10.0.0.1:4000"),
        ("http://[2001:db8::1]:4000", "http://[2001:db8::1]:4000"),
        ("https://proxy.example.com/drove/", "https://proxy.example.com/drove"),
    ],
)
def test_controller_urls(text: str, url: str) -> None:
    assert controller_url(text) == url


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("controller1:10000", "must begin with http:// or https://"),
        ("controller1", "must begin with http:// or https://"),
        ("ftp://controller1", "must begin with http:// or https://"),
        ("http:controller1", "must begin with http:// or https://"),
        ("http://", "must name a host"),
        ("http://:4000", "must name a host"),
        ("http://a b", "must name a host"),
        ("http://2001:db8::1", "must name a host"),
        ("http://[::1", "must be a URL"),
        ("http://controller1:", "must end in a port from 1 to 65535"),
        ("http://controller1:0", "must end in a port from 1 to 65535"),
        ("http://controller1:99999", "must end in a port from 1 to 65535"),
        ("http://controller1:port", "must end in a port from 1 to 65535"),
        ("http://controller1/?a=b", "must be a plain URL"),
        ("http://controller1/#top", "must be a plain URL"),
        ("http://controller1/a b", "must be a plain URL"),
        ("http://user:secret@controller1", "must not contain a user or password"),
        ("http://user:se@cret@controller1:1", "must not contain a user or password"),
        ("user:secret@controller1:1", "must not contain a user or password"),
    ],
)
def test_controller_urls_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        controller_url(text)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    ["", "127.0.0.1:8080", "plus.local", "[::1]:8080", "https://plus:8443", "unix:/run/api.sock"],
)
def test_nginx_plus_addresses(text: str) -> None:
    assert nginx_plus_address(text) == text


@pytest.mark.parametrize(
    "text",
    ["plus:0", "user:secret@plus:80", "a b:80", "http://", "unix:api.sock", "unix:/a b", "unix:"],
)
def test_nginx_plus_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must "):
        nginx_plus_address(text)


@given(st.text())
def test_any_text_is_taken_or_refused_with_a_sentence(text: str) -> None:
    for read in (socket_address, controller_url, nginx_plus_address):
        try:
            read(text)
        except ValueError as refused:
            assert str(refused).startswith("must ")  # noqa: PT017
