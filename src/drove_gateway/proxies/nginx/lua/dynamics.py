"""What changes at runtime in a configuration, what needs a reload, and why. Pure."""

from collections.abc import Collection, Iterator

from drove_gateway.model.spelling import valid_vhost
from drove_gateway.model.wording import count_of, shortened
from drove_gateway.proxies.nginx.lua.configuration import ANY, server_part, upstream_part
from drove_gateway.proxies.nginx.lua.vhost_blocks import Block, is_shared, read_vhosts

_BALANCED = 'require("drove_gateway.balancer").balance('
_MOST_NAMED = 3


def dynamics(text: str) -> tuple[str, ...]:
    """Return notes about the rendered `text`; none where it has no Lua balancer."""
    if _BALANCED not in text:
        return ()
    found = read_vhosts(text)
    # The upstream that vhosts share counts as one for each vhost.
    upstreams = [b for b in found.blocks if b.upstream and not b.holds(upstream_part(ANY))]
    fixed = [block for block in upstreams if _BALANCED not in block.body]
    total = len(upstreams) + len(_sharing(found.blocks))
    number = total - len(fixed)
    notes = [f"{number} of {total} upstreams are dynamic: servers change without a reload"]
    if fixed:
        names = _listed(block.upstream for block in fixed)
        notes.append(f"{names}: changes need a reload, without a luaUpstream line")
    return (*notes, *_vhosts(found.blocks, found.vhosts.keys()))


def _vhosts(blocks: Collection[Block], early: Collection[str]) -> Iterator[str]:
    """What happens when a vhost comes or goes."""
    if not any(block.holds(server_part(ANY)) for block in blocks):
        yield 'each new vhost needs a reload: no default server has the line luaServer "*"'
        return
    balanced = {block.upstream for block in blocks if _BALANCED in block.body}
    served = {name for block in blocks for name in block.names if name in balanced}
    if other := sorted((served | _sharing(blocks)) - set(early)):
        yield (
            f"{_listed(other)}: a reload at once when it comes, its blocks are not in the form of "
            "the default server's, or a wildcard name covers it"
        )
    comes = "it comes" if len(early) == 1 else "they come"
    number = count_of(len(early), "vhost")
    yield f"{number} in the form of the default server: served at once when {comes}"


def _sharing(blocks: Collection[Block]) -> set[str]:
    """The vhosts that share a server block."""
    shared = filter(is_shared, blocks)
    return {name for block in shared for name in block.names if valid_vhost(name)}


def _listed(names: Collection[str] | Iterator[str]) -> str:
    return ", ".join(shortened(list(names), _MOST_NAMED, "names"))
