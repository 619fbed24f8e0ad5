"""Read from the text of an NGINX configuration which vhosts it serves, and by which servers. Pure.

A `server` block serves its names by what its `proxy_pass` directives point to: an upstream, an
address, or a variable that `set` or `map` fills with the name of an upstream. The servers of the
Lua balancer's upstreams are listed in its code; an upstream that vhosts share has each vhost's.
"""

import re
from collections.abc import Iterator, Mapping

import msgspec

from drove_gateway.model.vocabulary import Host
from drove_gateway.proxies.installation.served import Served, ServedHosts, host_at
from drove_gateway.proxies.nginx.lua.configuration import PLACEHOLDER, file_servers
from drove_gateway.proxies.nginx.syntax import Directive, everywhere, parse

_NAME = re.compile(r"(?:\*?\.)?[A-Za-z0-9][A-Za-z0-9_.-]*(?:\.\*)?")
_TARGET = re.compile(r"(?P<scheme>https?)://(?P<name>[^/]+)")
_VARIABLE = re.compile(r"\$\{?(\w+)\}?")
_THE_VHOST = frozenset({"host", "http_host", "server_name", "proxy_host"})
_PORTS = {"http": 80, "https": 443}
# Maps of maps: deeper chains than any template has would be a circle.
_DEEPEST = 8


class _Text(msgspec.Struct, frozen=True):
    """The upstreams by name, and the entries of each map by its variable."""

    upstreams: Mapping[str, tuple[str, ...]]
    maps: Mapping[str, tuple[tuple[str, str], ...]]


def served_by_file(text: str) -> Served:
    """Return the hosts of each vhost that `text` serves; what is not understood serves nothing."""
    directives = parse(text)
    known = _Text(
        upstreams={
            upstream.words[1]: tuple(_addresses(upstream))
            for upstream in everywhere(directives, "upstream")
            if len(upstream.words) > 1
        }
        | file_servers(text),
        maps={
            block.words[2].removeprefix("$"): tuple(_entries(block))
            for block in everywhere(directives, "map")
            if len(block.words) > 2
        },
    )
    served = ServedHosts()
    for server in everywhere(directives, "server"):
        for vhost in _names(server):
            for scheme, group, name in _targets(server, vhost, known):
                served.add(vhost, group, _hosts(name, scheme, known))
    return served.served


def _names(server: Directive) -> Iterator[str]:
    for directive in server.block:
        if directive.name == "server_name":
            yield from (name for name in directive.words[1:] if _NAME.fullmatch(name))


def _addresses(upstream: Directive) -> Iterator[str]:
    for server in upstream.block:
        if server.name == "server" and len(server.words) > 1 and "down" not in server.words[2:]:
            yield server.words[1]


def _entries(block: Directive) -> Iterator[tuple[str, str]]:
    for entry in block.block:
        if len(entry.words) == 2:
            yield entry.words[0], entry.words[1]


def _targets(server: Directive, vhost: str, known: _Text) -> Iterator[tuple[str, str, str]]:
    """Yield the scheme, the group and the name of everything that requests are passed to."""
    values = {
        directive.words[1].removeprefix("$"): directive.words[2]
        for directive in server.within("set")
        if len(directive.words) > 2
    }
    for directive in server.within("proxy_pass"):
        match = _TARGET.match(directive.words[1]) if len(directive.words) > 1 else None
        if match:
            for group, name in _resolved(match["name"], vhost, vhost, values, known):
                shared = known.upstreams.get(name) == (PLACEHOLDER,)
                yield match["scheme"], group, vhost if shared else name


def _resolved(
    name: str,
    vhost: str,
    group: str,
    values: Mapping[str, str],
    known: _Text,
    depth: int = 0,
) -> Iterator[tuple[str, str]]:
    """Yield the groups and names that `name` can stand for in requests for `vhost`."""
    name = _VARIABLE.sub(lambda found: vhost if found[1] in _THE_VHOST else found[0], name)
    variable = _VARIABLE.search(name)
    if variable is None:
        yield group, name
    if variable is None or depth >= _DEEPEST:
        return
    if variable[1] in values:
        inner = name.replace(variable[0], values[variable[1]])
        yield from _resolved(inner, vhost, group, values, known, depth + 1)
    for key, value in known.maps.get(variable[1], ()):
        of_vhost, _, rest = key.partition(" ")
        if of_vhost.lower() == vhost.lower():
            yield from _resolved(value, vhost, rest or group, values, known, depth + 1)
        elif "$" in value:
            yield from _resolved(value, vhost, group, values, known, depth + 1)


def _hosts(name: str, scheme: str, known: _Text) -> Iterator[Host]:
    addresses = known.upstreams.get(name, (name,) if ":" in name or "." in name else ())
    for address in addresses:
        host = host_at(address, https=scheme == "https", default_port=_PORTS[scheme])
        if host:
            yield host
