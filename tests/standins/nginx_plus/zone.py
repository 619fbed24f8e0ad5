"""Upstreams in shared memory, with the rules of NGINX's documentation for each parameter.

Written from the documentation of `ngx_http_api_module` and `ngx_http_upstream_module` alone.
"""

import ipaddress
import re
from dataclasses import dataclass, field
from typing import Any

from tests.standins.nginx_plus.conf import UpstreamConf

_TIME = re.compile(r"(?P<count>[0-9]+)(?P<unit>ms|s|m|h|d)?")
_UNIT = {None: 1000, "s": 1000, "ms": 1, "m": 60_000, "h": 3_600_000, "d": 86_400_000}

POST_FIELDS = frozenset(
    {
        "server",
        "weight",
        "max_conns",
        "max_fails",
        "fail_timeout",
        "slow_start",
        "route",
        "backup",
        "service",
        "down",
        "drain",
    }
)
_LEAST = {
    "weight": (1, "UpstreamBadWeight"),
    "max_conns": (0, "UpstreamBadMaxConns"),
    "max_fails": (0, "UpstreamBadMaxFails"),
}
_TIMES = {"fail_timeout": "UpstreamBadFailTimeout", "slow_start": "UpstreamBadSlowStart"}
_FLAGS = frozenset({"backup", "down", "drain"})
PATCH_FIELDS = POST_FIELDS - {"backup", "service"}


class Refusal(Exception):
    """An error answer of the API."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.text = text


def bad(code: str, text: str) -> Refusal:
    return Refusal(400, code, text)


@dataclass
class ZoneServer:
    """A server in an upstream's zone; times in milliseconds."""

    id: int
    server: str
    name: str = ""
    weight: int = 1
    max_conns: int = 0
    max_fails: int = 1
    fail_timeout: int = 10_000
    slow_start: int = 0
    route: str = ""
    backup: bool = False
    down: bool = False
    drain: bool = False
    parent: str = ""
    # What traffic leaves behind.
    active: int = 0
    requests: int = 0
    fails: int = 0
    failures: list[float] = field(default_factory=list)

    def configuration(self) -> dict[str, Any]:
        """The object of `/servers`."""
        shown: dict[str, Any] = {
            "id": self.id,
            "server": self.server,
            "weight": self.weight,
            "max_conns": self.max_conns,
            "max_fails": self.max_fails,
            "fail_timeout": show_time(self.fail_timeout),
            "slow_start": show_time(self.slow_start),
            "route": self.route,
            "backup": self.backup,
            "down": self.down,
        }
        if self.drain:
            shown["drain"] = True
        if self.parent:
            shown["parent"] = self.parent
            shown["host"] = self.name
        return shown

    def status(self) -> dict[str, Any]:
        """The object of an upstream's `peers`."""
        return {
            "id": self.id,
            "server": self.server,
            "name": self.name or self.server,
            "backup": self.backup,
            "weight": self.weight,
            "state": "down" if self.down else "draining" if self.drain else "up",
            "active": self.active,
            "requests": self.requests,
            "responses": {
                "1xx": 0,
                "2xx": 0,
                "3xx": 0,
                "4xx": 0,
                "5xx": 0,
                "codes": {},
                "total": 0,
            },
            "sent": 0,
            "received": 0,
            "fails": self.fails,
            "unavail": 0,
            "health_checks": {"checks": 0, "fails": 0, "unhealthy": 0},
            "downtime": 0,
        }

    def set(self, fields: dict[str, Any]) -> None:
        """Take over parameters. Raises Refusal with the documented code; then none is taken."""
        taken = {name: _value(name, value) for name, value in fields.items()}
        for name, value in taken.items():
            setattr(self, name, value)


class Upstream:
    """One upstream. Without a zone its servers are static, and the API cannot see them."""

    def __init__(self, conf: UpstreamConf, kept: list[dict[str, Any]] | None, most: int) -> None:
        self.name = conf.name
        self.zone = conf.zone
        self.state = conf.state
        self.method = conf.method
        self.most = most
        self.servers: list[ZoneServer] = []
        self.removed: list[ZoneServer] = []
        self.turn = 0
        self._next_id = 0
        for address, parameters in conf.servers:
            self._load(address, parameters)
        for fields in kept or []:
            self.append(dict(fields))

    @property
    def hidden(self) -> bool:
        """An upstream whose state file is empty answers as if it did not exist."""
        return bool(self.state) and not self.servers

    @property
    def zombies(self) -> int:
        return sum(1 for server in self.removed if server.active)

    def find(self, text: str) -> ZoneServer:
        if not text.isdigit():
            raise bad("UpstreamBadServerId", "invalid server id")
        for server in self.servers:
            if server.id == int(text):
                return server
        raise Refusal(404, "UpstreamServerNotFound", f'server with ID "{text}" does not exist')

    def append(self, fields: dict[str, Any]) -> ZoneServer:
        """Add a server. Raises Refusal."""
        if self.zone and len(self.servers) >= self.most:
            raise bad("UpstreamOutOfMemory", f'upstream "{self.name}" memory exhausted')
        if self.method in {"hash", "random"} and fields.get("slow_start", "0s") != "0s":
            raise bad("UpstreamBadSlowStart", "slow_start with this method")
        server = ZoneServer(self._next_id, "")
        server.set(fields)
        server.name = str(fields["server"])
        self._next_id += 1
        self.servers.append(server)
        return server

    def remove(self, server: ZoneServer) -> None:
        if server.parent:
            raise bad("UpstreamServerImmutable", "server is immutable")
        self.servers.remove(server)
        self.removed = [kept for kept in (*self.removed, server) if kept.active or kept is server]

    def renumber(self) -> None:
        """Give the servers other ids, as a reload does: the last one now has the first's."""
        for number, server in enumerate(reversed(self.servers)):
            server.id = number
        self._next_id = len(self.servers)

    def kept(self) -> list[dict[str, Any]]:
        """What the state file has: the servers with their parameters."""
        names = sorted(PATCH_FIELDS | {"backup"})
        return [
            {name: server.configuration()[name] for name in names if name in server.configuration()}
            for server in self.servers
        ]

    def _load(self, address: str, parameters: list[str]) -> None:
        fields: dict[str, Any] = {"server": address}
        for text in parameters:
            name, equals, value = text.partition("=")
            number = name in {"weight", "max_conns", "max_fails"}
            fields[name] = (int(value) if number else value) if equals else True
        self.append(fields)


def checked(fields: Any, known: frozenset[str], *, resolver: bool) -> dict[str, Any]:
    """The form of a body that POST and PATCH take. Raises Refusal."""
    if not isinstance(fields, dict):
        raise Refusal(415, "JsonError", "JSON error: an object is expected")
    for name, value in fields.items():
        if name not in known:
            raise bad("UpstreamConfFormatError", f'unknown parameter "{name}"')
        if isinstance(value, (dict, list)):
            raise bad("UpstreamConfFormatError", f'nested object or list in "{name}"')
        if name == "server" and not resolver and isinstance(value, str) and _is_name(value):
            raise bad("UpstreamConfNoResolver", f'no resolver defined to resolve "{value}"')
    return fields


def show_time(milliseconds: int) -> str:
    if milliseconds % 1000:
        return f"{milliseconds}ms"
    return f"{milliseconds // 1000}s"


def _value(name: str, value: Any) -> Any:
    if name == "server":
        return _address(value)
    if name in _LEAST:
        return _integer(value, *_LEAST[name])
    if name in _TIMES:
        return _time(value, _TIMES[name])
    kind = bool if name in _FLAGS else str
    if not isinstance(value, kind):
        raise bad("UpstreamConfFormatError", f'invalid "{name}" value')
    return value


def _integer(value: Any, least: int, code: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise bad(code, f'invalid value "{value}"')
    return value


def _time(value: Any, code: str) -> int:
    match = _TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise bad(code, f'invalid time "{value}"')
    return int(match["count"]) * _UNIT[match["unit"]]


def _address(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise bad("UpstreamBadAddress", f'invalid address "{value}"')
    host, port = _split(value)
    if not port.isdigit() or not 0 < int(port) < 65536:
        raise bad("UpstreamBadAddress", f'invalid port in "{value}"')
    if host.startswith("["):
        return f"[{ipaddress.IPv6Address(host[1:-1])}]:{port}"
    return f"{host}:{port}"


def _split(value: str) -> tuple[str, str]:
    if value.startswith("["):
        inside, bracket, rest = value[1:].partition("]")
        try:
            ipaddress.IPv6Address(inside)
        except ValueError:
            raise bad("UpstreamBadAddress", f'invalid IPv6 address in "{value}"') from None
        if not bracket or (rest and not rest.startswith(":")):
            raise bad("UpstreamBadAddress", f'invalid address "{value}"')
        return f"[{inside}]", rest[1:] or "80"
    host, colon, port = value.partition(":")
    if not host or not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        raise bad("UpstreamBadAddress", f'invalid host in "{value}"')
    return host, port if colon else "80"


def _is_name(value: str) -> bool:
    if value.startswith("["):
        return False
    host = value.partition(":")[0]
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return bool(re.fullmatch(r"[A-Za-z0-9._-]+", host))
    return False
