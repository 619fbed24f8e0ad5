"""The functions that let a template use the Lua balancer.

luaBalancer .Generation .Apps   in `http {}`: the balancer, with the servers of all apps, in pieces:
                                `{{range luaBalancer .Generation .Apps}}{{.}}{{end}}`
luaUpstream "shop.example"      in `upstream {}`, instead of its `server` lines
luaServer "shop.example"        in `server {}` or `location {}`

With "*" instead of a vhost, the last two serve the vhost that a request names, if it has no server
block yet.
"""

import ipaddress
from collections.abc import Callable, Mapping

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

_WEB = frozenset({"http", "https"})

# Compiled templates take at most 8192 characters from a function; a line is shorter.
_MOST_PIECE = 8000


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
) -> Mapping[str, Callable[..., object]]:
    """Return `luaBalancer`, `luaUpstream` and `luaServer` by name.

    `options` is called with each luaBalancer; the ValueError that it may raise is the template's.
    """

    def lua_balancer(generation: str, apps: Mapping[str, App]) -> list[str]:
        upstreams = upstreams_of(apps, groups=use.groups)
        return _pieces(http_part(options(), upstreams, generation=generation))

    return {
        "luaBalancer": lua_balancer,
        "luaUpstream": upstream_part,
        "luaServer": server_part,
    }


def upstreams_of(apps: Mapping[str, App], *, groups: bool) -> Mapping[str, FileUpstream]:
    """Return an upstream for each vhost, and with `groups` for each of its groups.

    Servers whose host is a name are left out: NGINX could not resolve it while it loads the file,
    and the gateway adds them over the API.
    """
    return {
        name: FileUpstream(_servers(_web(hosts)), routed=False)
        for app in apps.values()
        for name, hosts in hosts_of(app, groups=groups).items()
    }


def hosts_of(app: App, *, groups: bool) -> Mapping[str, tuple[Host, ...]]:
    """Return the hosts of an app's upstreams: VHOST, and with `groups` VHOST@GROUP.

    Hosts that do not speak HTTP are left out where others do.
    """
    found = {app.vhost: app.hosts}
    if groups:
        found |= {f"{app.vhost}@{name}": group.hosts for name, group in app.groups.items()}
    return {name: _web(hosts) or hosts for name, hosts in found.items()}


def _web(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    return tuple(host for host in hosts if host.port_type in _WEB)


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
