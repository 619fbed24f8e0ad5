"""What of a configuration the Lua balancer changes at runtime: servers, and vhosts. Pure.

A vhost whose upstream and server blocks are those of the template's default server except for the
name is served by the default server as soon as the balancer knows it. So its blocks may come with a
later reload. The same is true of a vhost's name in a server block that many vhosts share. Blocks in
any other form, and all else, only a reload brings.

Blocks are read line by line: the line that opens a block and the line that closes it are indented
alike. What is written otherwise counts as a part that only a reload brings.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from drove_gateway.proxies.nginx.lua.configuration import (
    ANY,
    LISTED,
    server_part,
    upstream_part,
    without_servers,
)

_OPENING = re.compile(
    r"^(?P<indent>[ \t]*)(?:upstream (?P<upstream>\S+)|server) \{\n", re.MULTILINE
)
_NAME_LINE = re.compile(r"^[ \t]*server_name ([^\s;]+);\n", re.MULTILINE)
_EMPTY_LINES = re.compile(r"\n\s*\n")
_MOST_REMEMBERED = 1 << 15
_FEW_REMEMBERED = 8
_LISTEN = re.compile(r"\s+(?:default_server|reuseport)\b")
_PATTERN = re.compile(r"^[*.~]|\.\*$")
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")


class Contents(msgspec.Struct, frozen=True):
    """The lines of a block without indentation, apart from the names and the listening sockets of
    a server block."""

    names: tuple[str, ...]
    listens: frozenset[str]
    lines: tuple[str, ...]


class Block(msgspec.Struct, frozen=True):
    """An `upstream` or `server` block and its place in the text.

    `upstream` is empty for a server block.
    """

    start: int
    end: int
    upstream: str
    body: str

    @property
    def names(self) -> tuple[str, ...]:
        """What `server_name` lists."""
        return contents(self.body).names

    def holds(self, part: str) -> bool:
        """Whether `part` is one of the lines."""
        return part in self.body and part in contents(self.body).lines


class VhostBlocks(msgspec.Struct, frozen=True):
    """The blocks of a text, and the vhosts that the default server serves in the same way, each
    with the blocks that it has alone."""

    blocks: tuple[Block, ...]
    vhosts: Mapping[str, Sequence[Block]]


def blocks_of(text: str) -> Iterator[Block]:
    """Yield the blocks in the order of the text."""
    for opening in _OPENING.finditer(text):
        closing = f"\n{opening['indent']}}}\n"
        inside = text.find(closing, opening.end() - 1)
        if inside >= 0:
            body = text[opening.end() : inside + 1]
            yield Block(opening.start(), inside + len(closing), opening["upstream"] or "", body)


@lru_cache(_MOST_REMEMBERED)
def contents(body: str) -> Contents:
    """Read what stands between the braces of a block."""
    names: list[str] = []
    listens: set[str] = set()
    lines: list[str] = []
    for line in map(str.strip, body.splitlines()):
        if line.startswith("server_name "):
            names += (name.strip("\"'") for name in line.rstrip(";").split()[1:])
        elif line.startswith("listen "):
            listens.add(_LISTEN.sub("", line))
        elif line and not line.startswith("#"):
            lines.append(line)
    return Contents(tuple(names), frozenset(listens), tuple(lines))


@lru_cache(2)
def read_vhosts(text: str) -> VhostBlocks:
    """Find the vhosts of `text` whose blocks are those of its default server."""
    blocks = tuple(blocks_of(text))
    return VhostBlocks(blocks, _vhosts(blocks))


def without_runtime(text: str) -> str:
    """Return a configuration without what its Lua balancer changes at runtime."""
    if server_part(ANY) not in text:
        return without_servers(text)
    kept, position = [], 0
    for start, end in sorted(_spans(text, read_vhosts(text))):
        kept.append(text[position:start])
        position = end
    # What templates leave between blocks differs with their number.
    return _EMPTY_LINES.sub("\n", without_servers("".join((*kept, text[position:]))))


def _spans(text: str, read: VhostBlocks) -> Iterator[tuple[int, int]]:
    """Where the blocks of the vhosts stand, and in shared server blocks their names."""
    yield from ((block.start, block.end) for its in read.vhosts.values() for block in its)
    for block in filter(is_shared, read.blocks):
        for line in _NAME_LINE.finditer(text, block.start, block.end):
            if line[1] in read.vhosts:
                yield line.span()


def is_shared(block: Block) -> bool:
    """Whether a server block is for every vhost that it lists."""
    return block.holds(server_part(LISTED))


def _vhosts(blocks: Collection[Block]) -> Mapping[str, Sequence[Block]]:
    upstreams = {block.upstream: block for block in blocks if block.upstream}
    any_upstreams = [b for b in upstreams.values() if b.holds(upstream_part(ANY))]
    defaults = [block for block in blocks if block.holds(server_part(ANY))]
    shared = {block.start for block in blocks if is_shared(block)}
    patterns = {name for block in blocks for name in block.names if _PATTERN.search(name)}
    if len(any_upstreams) != 1 or not defaults or any(name.startswith("~") for name in patterns):
        return {}
    bodies = tuple(block.body for block in defaults)
    servers: dict[str, list[Block]] = {}
    for block in blocks:
        for name in block.names:
            servers.setdefault(name, []).append(block)
    found: dict[str, Sequence[Block]] = {}
    for vhost, its in servers.items():
        if not _is_plain(vhost) or any(_covers(pattern, vhost) for pattern in patterns):
            continue
        upstream = upstreams.get(vhost)
        if len(its) == 1 and its[0].start in shared:
            if _same_shared_server(its[0].body, bodies):
                found[vhost] = ()
        elif (
            upstream is not None
            and _same_upstream(vhost, upstream.body, any_upstreams[0].body)
            and all(_same_server(vhost, b.body, bodies, any_upstreams[0].upstream) for b in its)
        ):
            found[vhost] = (upstream, *its)
    return found


# A text is read again with every change, and most of its blocks are those of before.
@lru_cache(_MOST_REMEMBERED)
def _same_upstream(vhost: str, body: str, any_body: str) -> bool:
    lines = _renamed(contents(body).lines, upstream_part(vhost), upstream_part(ANY))
    return lines == contents(any_body).lines


@lru_cache(_MOST_REMEMBERED)
def _same_server(vhost: str, body: str, defaults: tuple[str, ...], upstream: str) -> bool:
    block = contents(body)
    lines = _renamed(block.lines, server_part(vhost), server_part(ANY))
    lines = tuple(line.replace(f"://{vhost};", f"://{upstream};") for line in lines)
    return block.names == (vhost,) and _is_default(lines, block.listens, defaults)


@lru_cache(_FEW_REMEMBERED)
def _same_shared_server(body: str, defaults: tuple[str, ...]) -> bool:
    block = contents(body)
    lines = _renamed(block.lines, server_part(LISTED), server_part(ANY))
    return _is_default(lines, block.listens, defaults)


def _is_default(lines: tuple[str, ...], listens: frozenset[str], defaults: tuple[str, ...]) -> bool:
    return any(
        lines == default.lines and listens == default.listens for default in map(contents, defaults)
    )


def _renamed(lines: tuple[str, ...], part: str, by: str) -> tuple[str, ...]:
    return tuple(by if line == part else line for line in lines)


def _is_plain(name: str) -> bool:
    """Whether a name in `server_name` stands for itself alone."""
    return _NAME.fullmatch(name) is not None and name == name.lower()


def _covers(pattern: str, vhost: str) -> bool:
    """Whether NGINX prefers the block of a wildcard name to the default server."""
    if pattern.endswith(".*"):
        return vhost.startswith(pattern[:-1])
    bare = pattern.removeprefix("*").removeprefix(".")
    return pattern[:1] in {"*", "."} and (vhost == bare or vhost.endswith(f".{bare}"))
