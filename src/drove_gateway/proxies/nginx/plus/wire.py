"""What NGINX Plus's API says, as types. Unknown fields are ignored.

The names and defaults are those of the documentation of `ngx_http_api_module`.
"""

import ipaddress
import re
from functools import lru_cache

import msgspec

# A longer number is not a time that NGINX accepts.
_DURATION = re.compile(r"([0-9]{1,18})(ms|[smhdwMy]?)")
_MANY = 1 << 16
_MILLISECONDS = {
    "ms": 1,
    "": 1000,
    "s": 1000,
    "m": 60_000,
    "h": 3_600_000,
    "d": 86_400_000,
    "w": 7 * 86_400_000,
    "M": 30 * 86_400_000,
    "y": 365 * 86_400_000,
}


class Identity(msgspec.Struct, frozen=True):
    """`/nginx`: which process answers and how often it loaded its configuration.

    `ppid` is the master's process; the worker's `pid` is left out, as it differs by request.
    """

    build: str = ""
    version: str = ""
    generation: int = 0
    load_timestamp: str = ""
    ppid: int = 0


class Server(msgspec.Struct, frozen=True):
    """A server of an upstream. Parameters are None where the answer does not tell them.

    `parent` is set for a server that NGINX's own resolver made of a name.
    """

    id: int
    server: str
    max_fails: int | None = None
    fail_timeout: str | None = None
    slow_start: str | None = None
    backup: bool = False
    drain: bool = False
    down: bool = False
    parent: int | str | None = None


class Responses(msgspec.Struct, frozen=True, rename={"server_errors": "5xx"}):
    """How many responses of a class a server sent."""

    server_errors: int | None = None


class Peer(msgspec.Struct, frozen=True):
    """A server as the status of its upstream shows it; `active` counts its running requests.

    `requests` and `fails` count since NGINX loaded the server; None where that is not counted.
    """

    id: int
    server: str
    backup: bool = False
    state: str = ""
    active: int = 0
    weight: int | None = None
    requests: int | None = None
    fails: int | None = None
    responses: Responses = Responses()


class Upstream(msgspec.Struct, frozen=True):
    """The status of an upstream."""

    peers: tuple[Peer, ...] = ()


class ErrorDetail(msgspec.Struct, frozen=True):
    """Why a call was refused; `code` is the documentation's, such as UpstreamNotFound."""

    status: int = 0
    text: str = ""
    code: str = ""


class ErrorAnswer(msgspec.Struct, frozen=True):
    """The body of every refusal."""

    error: ErrorDetail


@lru_cache(_MANY)
def milliseconds(text: str) -> int | None:
    """NGINX's time syntax ("10s", "1m 30s", "500ms"), None where it is none."""
    parts = text.split()
    found = [match for part in parts for match in _DURATION.finditer(part)]
    if not found or "".join(match.group() for match in found) != "".join(parts):
        return None
    return sum(int(match.group(1)) * _MILLISECONDS[match.group(2)] for match in found)


# Servers stay the same from one apply to the next.
@lru_cache(_MANY)
def address(host: str, port: int) -> str:
    """An IP address and a port as NGINX writes them: `10.0.0.1:80`, `[::1]:80`."""
    ip = ipaddress.ip_address(host.strip("[]"))
    return f"[{ip.compressed}]:{port}" if ip.version == 6 else f"{ip.compressed}:{port}"


def canonical(server: str) -> str:
    """A server's address in the one form that `address` gives; other texts stay as they are."""
    if not server.startswith("["):
        return server
    host, _, port = server.rpartition(":")
    try:
        return address(host, int(port))
    except ValueError:
        return server
