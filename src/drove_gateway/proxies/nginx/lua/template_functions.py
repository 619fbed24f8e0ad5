"""The functions that let a template use the Lua balancer.

luaBalancer .Generation .Apps   in `http {}`: the balancer, with the servers of all apps, in pieces:
                                `{{range luaBalancer .Generation .Apps}}{{.}}{{end}}`
luaUpstream "shop.example"      in `upstream {}`, instead of its `server` lines
luaServer "shop.example"        in `server {}` or `location {}`

With "*" instead of a vhost, the last two serve the vhost that a request names, if no server block
lists it yet. `luaServer "$host"` is for a server block that lists several vhosts.
"""

import ipaddress
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

from drove_gateway.model.vocabulary import App, Host
from drove_gateway.proxies.nginx.lua.configuration import (
    FileServer,
    FileUpstream,
    LuaOptions,
    http_part,
    server_part,
    upstream_part,
)
from drove_gateway.proxies.nginx.lua.known_addresses import KnownAddresses

_WEB = frozenset({"http", "https"})
# Between the vhost and the group in the name of an upstream.
_GROUP_MARK = "@"

# Compiled templates take at most 8192 characters from a function; a line is shorter.
_MOST_PIECE = 8000
# Hosts stay the same from one rendering to the next.
_MOST_REMEMBERED = 1 << 16


class LuaUse(msgspec.Struct, frozen=True):
    """What a template uses of the balancer: whether it has it at all, and the groups of vhosts."""

    balancer: bool = False
    groups: bool = False


def lua_use(template: str) -> LuaUse:
    """Read from a template's source what it uses of the balancer."""
    balancer = "luaBalancer" in template
    return LuaUse(balancer, groups=balancer and ".Groups" in template)


def lua_functions(
    options: Callable[[], LuaOptions],
    use: LuaUse = LuaUse(),  # noqa: B008
    addresses: KnownAddresses | None = None,
) -> Mapping[str, Callable[..., object]]:
    """Return `luaBalancer`, `luaUpstream` and `luaServer` by name.

    `options` is called with each luaBalancer; the ValueError that it may raise is the template's.
    `addresses` are those of hosts that Drove lists by name.
    """

    upstreams = _Upstreams(addresses or KnownAddresses(), groups=use.groups)

    def lua_balancer(generation: str, apps: Mapping[str, App]) -> list[str]:
        return _pieces(http_part(options(), upstreams.of(apps), generation=generation))

    def lua_upstream(name: str) -> str:
        if _GROUP_MARK in name and not use.groups:
            raise ValueError(
                f"luaUpstream {name}: the gateway started with a template without .Groups, so it "
                "brings no servers to groups; restart the gateway"
            )
        return upstream_part(name)

    return {
        "luaBalancer": lua_balancer,
        "luaUpstream": lua_upstream,
        "luaServer": server_part,
    }


class _Upstreams:
    """The upstreams of apps. Those of an app that did not change are taken from the last call,
    unless a host has another address since."""

    def __init__(self, addresses: KnownAddresses, *, groups: bool) -> None:
        self._groups = groups
        self._addresses = addresses
        self._changes = 0
        self._last: Mapping[str, tuple[App, Mapping[str, FileUpstream]]] = {}

    def of(self, apps: Mapping[str, App]) -> Mapping[str, FileUpstream]:
        """Return an upstream for each vhost, and perhaps for each of its groups."""
        changes = self._addresses.changes
        last = self._last if changes == self._changes else {}
        self._changes = changes
        self._last = {
            vhost: known if (known := last.get(vhost)) and known[0] is app else self._read(app)
            for vhost, app in apps.items()
        }
        return {name: its for _, found in self._last.values() for name, its in found.items()}

    def _read(self, app: App) -> tuple[App, Mapping[str, FileUpstream]]:
        return app, upstreams_of(app, self._addresses, groups=self._groups)


def upstreams_of(
    app: App, addresses: KnownAddresses, *, groups: bool
) -> Mapping[str, FileUpstream]:
    """Return the upstream of a vhost, and with `groups` those of its groups.

    Servers whose host is a name have its last address. Without one they are left out, and the
    gateway adds them over the API.
    """
    return {
        name: FileUpstream(_servers(_web(hosts), addresses), routed=False)
        for name, hosts in hosts_of(app, groups=groups).items()
    }


def hosts_of(app: App, *, groups: bool) -> Mapping[str, tuple[Host, ...]]:
    """Return the hosts of an app's upstreams: VHOST, and with `groups` VHOST@GROUP.

    Hosts that do not speak HTTP are left out where others do.
    """
    found = {app.vhost: app.hosts}
    if groups:
        found |= {
            f"{app.vhost}{_GROUP_MARK}{name}": group.hosts for name, group in app.groups.items()
        }
    return {name: _web(hosts) or hosts for name, hosts in found.items()}


def _web(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    return tuple(host for host in hosts if host.port_type in _WEB)


def _pieces(text: str) -> list[str]:
    """The lines of `text`, as few texts as may be."""
    pieces: list[list[str]] = [[]]
    size = 0
    for line in text.splitlines(keepends=True):
        size += len(line)
        if size > _MOST_PIECE:
            pieces.append([])
            size = len(line)
        pieces[-1].append(line)
    return ["".join(lines) for lines in pieces]


def _servers(hosts: tuple[Host, ...], addresses: KnownAddresses) -> tuple[FileServer, ...]:
    found = (
        (_bare_address(host.host) or _bare_address(addresses.of(host.host)), host.port)
        for host in hosts
    )
    return tuple(FileServer(f"{address}:{port}") for address, port in found if address)


@lru_cache(_MOST_REMEMBERED)
def _bare_address(host: str) -> str:
    """An IP address as NGINX writes it before a port; empty where `host` is a name."""
    try:
        ip = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return ""
    return f"[{ip.compressed}]" if ip.version == 6 else str(ip)
