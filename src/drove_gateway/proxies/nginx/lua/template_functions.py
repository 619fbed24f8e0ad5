"""The functions that let a template use the Lua balancer.

luaBalancer .Generation .Apps   in `http {}`: the balancer, with the servers of all apps, in pieces:
                                `{{range luaBalancer .Generation .Apps}}{{.}}{{end}}`
luaUpstream "shop.example"      in `upstream {}`, instead of its `server` lines
luaServer "shop.example"        in `server {}` or `location {}`
"""

import ipaddress
from collections.abc import Callable, Mapping

from drove_gateway.model.vocabulary import App, Host
from drove_gateway.proxies.nginx.lua.configuration import (
    FileServer,
    FileUpstream,
    LuaOptions,
    http_part,
    server_part,
    upstream_part,
)

_WEB = frozenset({"http", "https"})

# Compiled templates take at most 8192 characters from a function; a line is shorter.
_MOST_PIECE = 8000


def lua_functions(options: Callable[[], LuaOptions]) -> Mapping[str, Callable[..., object]]:
    """Return `luaBalancer`, `luaUpstream` and `luaServer` by name.

    `options` is called with each luaBalancer; the ValueError that it may raise is the template's.
    """

    def lua_balancer(generation: str, apps: Mapping[str, App]) -> list[str]:
        return _pieces(http_part(options(), upstreams_of(apps), generation=generation))

    return {
        "luaBalancer": lua_balancer,
        "luaUpstream": upstream_part,
        "luaServer": server_part,
    }


def upstreams_of(apps: Mapping[str, App]) -> Mapping[str, FileUpstream]:
    """Return an upstream for each vhost, and `VHOST_GROUP` for each of its groups.

    Servers whose host is a name are left out: NGINX could not resolve it while it loads the file,
    and the gateway adds them over the API. So are those of a vhost that do not speak HTTP, where
    others do. The default server routes to the vhosts' own names.
    """
    upstreams: dict[str, FileUpstream] = {}
    for app in apps.values():
        web = tuple(host for host in app.hosts if host.port_type in _WEB)
        upstreams[app.vhost] = FileUpstream(_servers(web or app.hosts))
        for name, group in app.groups.items():
            upstreams[f"{app.vhost}_{name}"] = FileUpstream(_servers(group.hosts), routed=False)
    return upstreams


def _pieces(text: str) -> list[str]:
    """The lines of `text`, as few texts as may be."""
    pieces = [""]
    for line in text.splitlines(keepends=True):
        if len(pieces[-1]) > _MOST_PIECE - len(line):
            pieces.append("")
        pieces[-1] += line
    return pieces


def _servers(hosts: tuple[Host, ...]) -> tuple[FileServer, ...]:
    addresses = (_address(host) for host in hosts)
    return tuple(FileServer(address) for address in addresses if address)


def _address(host: Host) -> str | None:
    try:
        ip = ipaddress.ip_address(host.host.strip("[]"))
    except ValueError:
        return None
    return f"[{ip.compressed}]:{host.port}" if ip.version == 6 else f"{ip}:{host.port}"
