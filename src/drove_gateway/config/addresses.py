"""Addresses in the configuration: controllers, NGINX Plus, HAProxy's sockets.

Every function raises `ValueError` with a sentence that says what is allowed. The sentences never
repeat the value, because it may contain a password.
"""

import re
from typing import TypeAlias
from urllib.parse import SplitResult, urlsplit

import msgspec

UNIX_PATH_BYTES = 107
"""The longest path of a Unix socket: `sun_path` has 108 bytes on Linux, including a final zero."""

SOCKET_FORMS = (
    "must be the path of a Unix socket (/run/haproxy/admin.sock or unix@PATH), "
    "ipv4@HOST:PORT, ipv6@[ADDRESS]:PORT or HOST:PORT"
)

_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]")
_SOCKET_PATH = re.compile(r"/[\w./@+-]+", re.ASCII)
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")


class UnixSocket(msgspec.Struct, frozen=True):
    """A Unix socket by its path."""

    path: str


class TcpSocket(msgspec.Struct, frozen=True):
    """A TCP address; `host` is a name or an address, IPv6 without brackets."""

    host: str
    port: int


SocketAddress: TypeAlias = UnixSocket | TcpSocket


def socket_address(text: str) -> SocketAddress:
    """Parse HAProxy's address forms: a Unix path, `unix@`, `ipv4@`, `ipv6@` or HOST:PORT."""
    kind, at, rest = text.partition("@")
    if not at:
        return _unix_socket(text) if "/" in text else _tcp_socket(text)
    match kind:
        case "unix":
            return _unix_socket(rest)
        case "ipv4":
            return _tcp_socket(rest)
        case "ipv6":
            return _ipv6_socket(rest)
    raise ValueError(SOCKET_FORMS)


def _unix_socket(path: str) -> UnixSocket:
    if not path or not path.isprintable():
        raise ValueError(SOCKET_FORMS)
    if len(path.encode()) > UNIX_PATH_BYTES:
        raise ValueError(f"must be a path of at most {UNIX_PATH_BYTES} bytes, Linux allows no more")
    return UnixSocket(path)


def _tcp_socket(text: str) -> TcpSocket:
    host, colon, port = text.rpartition(":")
    if not colon or not _HOST.fullmatch(host):
        raise ValueError(SOCKET_FORMS)
    return TcpSocket(host.strip("[]"), _port(port))


def _ipv6_socket(text: str) -> TcpSocket:
    """Parse an address with or without brackets, as HAProxy does; the last colon starts a port."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not _IPV6.fullmatch(host):
        raise ValueError(SOCKET_FORMS)
    return TcpSocket(host, _port(port))


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 5 or not 1 <= int(text) <= 65535:
        raise ValueError("must end in a port from 1 to 65535")
    return int(text)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches what listens on `address`."""
    return address.startswith("127.") or address in {"::1", "localhost"}


def controller_url(text: str) -> str:
    """Check the URL of a controller, and remove surrounding blanks and a final slash."""
    return _http_url(text.strip(), "http://controller1:10000")


def nginx_plus_address(text: str) -> str:
    """Check the address of NGINX's API: HOST:PORT, a URL whose port is optional, or unix:/PATH."""
    text = text.strip()
    if not text:
        return ""
    if text.startswith("unix:"):
        return f"unix:{_nginx_socket(text.removeprefix('unix:'))}"
    if "://" in text:
        return _http_url(text, "http://127.0.0.1:8080")
    if "@" in text:
        raise ValueError("must not contain a user; write nginxplusapi_user and nginxplusapi_pass")
    _http_url(f"http://{text}", "127.0.0.1:8080")
    return text


def _nginx_socket(path: str) -> str:
    """Check a path that both this gateway and a `listen unix:PATH;` of NGINX can use."""
    if not _SOCKET_PATH.fullmatch(path):
        raise ValueError("must be an absolute path of plain characters, such as unix:/run/api.sock")
    return _unix_socket(path).path


def _http_url(text: str, example: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise ValueError(f"must be a URL such as {example}") from None
    if "@" in parts.netloc or ("@" in text and parts.scheme not in {"http", "https"}):
        raise ValueError("must not contain a user or password; set them with their own keys")
    if parts.scheme not in {"http", "https"} or "://" not in text:
        raise ValueError(f"must begin with http:// or https://, such as {example}")
    _check_host_and_port(parts, example)
    if parts.query or parts.fragment or not text.isprintable() or " " in text:
        raise ValueError(f"must be a plain URL such as {example}, without blanks, ? and #")
    return text.rstrip("/")


def _check_host_and_port(parts: SplitResult, example: str) -> None:
    host = parts.netloc
    # The colon of a port follows the bracket of an IPv6 address.
    if ":" in host.rpartition("]")[2]:
        host, _, port = host.rpartition(":")
        _port(port)
    if not _HOST.fullmatch(host):
        raise ValueError(f"must name a host, such as {example}; write an IPv6 address in brackets")
