"""The parts of an NGINX configuration that let the Lua balancer serve its upstreams.

Three texts make a template dynamic: `http_part` once in `http {}`, `upstream_part` in each
`upstream {}`, `server_part` in each `server {}` or `location {}` that proxies to it.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

import msgspec

from drove_gateway.proxies.nginx.lua.source import code, code_hash

# Of the handshake; the hash tells apart what has the same version.
VERSION = "1"
# Instead of a vhost: that which the request names, for the default server and for a server block
# that lists several vhosts.
ANY = "*"
LISTED = "$host"
# NGINX demands a server in each upstream; this address is never connected to.
PLACEHOLDER = "0.0.0.1"
# Every request ends here; without it, running requests are not counted.
LOG_CALL = 'require("drove_gateway.balancer").log()'
# NGINX reads a piece of Lua text between two braces or quotes into a buffer of 4 KiB.
_MOST_SEED = 2000
# Lua limits the constants of one function.
_MOST_STATEMENTS = 1000
_LEAST_MEGABYTES = 16
# About a quarter of it is used (measured with ten servers in an upstream).
_BYTES_PER_SERVER = 400
_PLAIN = re.compile(r"[A-Za-z0-9 ._:/@,=\[\]+-]*")
_SIZE = re.compile(r"[1-9][0-9]*[km]?")
_SERVERS = re.compile(r"^(file\.upstream\(.*|\(function\(\)|end\)\(\));?\n", re.MULTILINE)
_LISTED = re.compile(r'^file\.upstream\("(?P<name>[^"]*)", "(?P<servers>[^"]*)"', re.MULTILINE)
_UNESCAPED = re.compile(r"\\(\d{3})")
_LISTEN = re.compile(r"unix:/[\w./@+-]+|(127(\.\d{1,3}){3}|\[::1\]|localhost):\d{1,5}")


class FileServer(msgspec.Struct, frozen=True):
    """A server as the file lists it: `10.0.0.1:80`, `[::1]:80` or `unix:/path`."""

    address: str
    weight: int = 1
    backup: bool = False


class FileUpstream(msgspec.Struct, frozen=True):
    """An upstream as the file lists it.

    `routed` lets the default server serve it under its name, before it has a server block.
    """

    servers: tuple[FileServer, ...] = ()
    least_conn: bool = False
    routed: bool = True


class LuaOptions(msgspec.Struct, frozen=True):
    """How the balancer is set up.

    `listen` is where the API listens: `unix:/path` or a loopback address with its port. `memory`
    is the size of the dictionary, in NGINX's spelling, empty to have it fit the servers. The last
    three are the parameters of the file's servers; durations are in NGINX's spelling.
    """

    listen: str
    memory: str = ""
    max_fails: int = 1
    fail_timeout: str = "10s"
    slow_start: str = "0s"

    def __post_init__(self) -> None:
        if not _LISTEN.fullmatch(self.listen):
            raise ValueError(
                f"the Lua balancer's API cannot listen on {self.listen!r}: "
                "a unix:/path or a loopback address with a port is needed"
            )
        if self.memory and not _SIZE.fullmatch(self.memory):
            raise ValueError(f"{self.memory!r} is not a size such as 16m")


def http_part(
    options: LuaOptions, upstreams: Mapping[str, FileUpstream], *, generation: str
) -> str:
    """Return what `http {}` needs once: the dictionaries, the code, the servers, the API.

    `generation` is the id of the configuration that the text becomes part of.
    """
    return _HTTP.format(
        memory=options.memory or memory_for(upstreams),
        init=init_code(options, upstreams, generation=generation),
        log=LOG_CALL,
        listen=options.listen,
    )


def memory_for(upstreams: Mapping[str, FileUpstream]) -> str:
    """Return a size with room for these upstreams, their names and many more servers.

    Only doublings, so that it seldom changes: NGINX empties a dictionary of another size, and the
    file fills it anew.
    """
    servers = sum(len(upstream.servers) for upstream in upstreams.values()) + len(upstreams)
    megabytes = _LEAST_MEGABYTES
    while servers * _BYTES_PER_SERVER > megabytes << 20:
        megabytes *= 2
    return f"{megabytes}m"


def upstream_part(name: str) -> str:
    """Return what `upstream NAME {}` needs. Its `server` lines have no effect then."""
    return (
        f"server {PLACEHOLDER}; balancer_by_lua_block "
        f'{{ require("drove_gateway.balancer").balance({_vhost(name)}) }}'
    )


def server_part(name: str) -> str:
    """Return what `server {}` needs: 404 once the vhost is removed, 503 while it has no servers."""
    call = f"{'access_by_host' if name == ANY else 'access'}({_vhost(name)})"
    return f'access_by_lua_block {{ require("drove_gateway.balancer").{call} }}'


def _vhost(name: str) -> str:
    return "ngx.var.host" if name in {ANY, LISTED} else _quoted(name)


def without_servers(text: str) -> str:
    """Return a configuration without what its Lua balancer changes at runtime: the servers."""
    return _SERVERS.sub("", text)


def file_servers(text: str) -> dict[str, tuple[str, ...]]:
    """Return the addresses of each upstream that the Lua balancer of a configuration lists."""
    found: dict[str, tuple[str, ...]] = {}
    for match in _LISTED.finditer(text):
        name = _UNESCAPED.sub(lambda escape: chr(int(escape[1])), match["name"])
        name = name.encode("latin-1").decode(errors="surrogateescape")
        addresses = (server.partition(",")[0] for server in match["servers"].split())
        found[name] = (*found.get(name, ()), *addresses)
    return found


def init_code(
    options: LuaOptions, upstreams: Mapping[str, FileUpstream], *, generation: str
) -> str:
    """Return the Lua code of `init_by_lua_block`: the balancer, and the servers of the file."""
    socket = options.listen.removeprefix("unix:")
    about = (
        f"file.begin({{ socket = {_quoted(socket) if socket != options.listen else 'nil'}, "
        f"version = {_quoted(VERSION)}, hash = {_quoted(code_hash())}, "
        f"generation = {_quoted(generation)}, defaults = {{ max_fails = {options.max_fails}, "
        f"fail_timeout = {_quoted(options.fail_timeout)}, "
        f"slow_start = {_quoted(options.slow_start)} }} }})"
    )
    statements = [
        statement
        for name, upstream in upstreams.items()
        for statement in _statements(name, upstream)
    ]
    functions = [
        "(function()\n" + "\n".join(statements[start : start + _MOST_STATEMENTS]) + "\nend)()"
        for start in range(0, len(statements), _MOST_STATEMENTS)
    ]
    lines = [code(), 'local file = require("drove_gateway.file")', about, *functions]
    return ";\n".join([*lines, "file.finish()"])


# Most upstreams are the same from one text to the next.
@lru_cache(1 << 15)
def _statements(name: str, upstream: FileUpstream) -> tuple[str, ...]:
    method = '"least_conn"' if upstream.least_conn else "nil"
    routed = "true" if upstream.routed else "false"
    return tuple(
        f"file.upstream({_quoted(name)}, {_quoted(servers)}, {method}, {routed})"
        for servers in _pieces(upstream.servers)
    )


def _pieces(servers: tuple[FileServer, ...]) -> Iterator[str]:
    """The servers as texts that are short enough; one empty text where there are none."""
    piece = ""
    for server in servers:
        if len(piece) > _MOST_SEED:
            yield piece
            piece = ""
        piece = f"{piece} {_listed(server)}".lstrip()
    if piece or not servers:
        yield piece


def _listed(server: FileServer) -> str:
    weight = f",weight={server.weight}" if server.weight != 1 else ""
    return f"{server.address}{weight}{',backup=true' if server.backup else ''}"


def _quoted(text: str) -> str:
    """Text as a Lua string; what is not plain is escaped, so that it cannot end the string."""
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    if _PLAIN.fullmatch(character):
        return character
    return "".join(f"\\{byte:03d}" for byte in character.encode(errors="surrogateescape"))


_HTTP = """\
lua_shared_dict drove_gateway {memory};
lua_shared_dict drove_gateway_counts {memory};
init_by_lua_block {{
{init}
}}
init_worker_by_lua_block {{ require("drove_gateway.worker").start() }}
exit_worker_by_lua_block {{ require("drove_gateway.worker").stop() }}
log_by_lua_block {{ {log} }}
server {{
    listen {listen};
    access_log off;
    client_max_body_size 16m;
    client_body_buffer_size 16m;
    location / {{ content_by_lua_block {{ require("drove_gateway.api").serve() }} }}
}}
"""
