"""The README's blocks for a first hour, with a look at the traffic before each one ends."""

import re
from collections.abc import Mapping

from tests.docs.pages import README, Block, blocks

_END = "\nkill $gateway"
_ASK = "\nfor _ in $(seq 40); do curl -fsS -H 'Host: app1.local' http://127.0.0.1:8080/; done"
SCALED_TO = 5


def proxy_blocks() -> dict[str, Block]:
    """Return the block that starts each proxy, by the proxy's name."""
    found = {}
    for block in blocks(README):
        if started := re.search(r"drove-gateway init (\w+)", block.text):
            found[started[1]] = block
    return found


def typed(block: Block, ports: Mapping[str, str]) -> str:
    """Return the text of a block with many requests to app1, once it is scaled.

    `ports` are replaced in the block and in the files that `init` writes. If there are any, the
    cluster has a single controller, because the next ports may belong to others.
    """
    text = block.text.replace(_END, _ASK + _END)
    assert text != block.text
    if not ports:
        return text
    edits = "".join(f" -e s/{written}/{instead}/" for written, instead in ports.items())
    for written, instead in ports.items():
        text = text.replace(written, instead)
    text = text.replace(
        "drove-gateway simulate",
        f"drove-gateway simulate --controllers 1 --port {ports['4000']} "
        f"--control-port {ports['4100']}",
    )
    change = rf"\g<0>\nsed -i '/^drove = /s/,.*/]/' \1/*.toml; sed -i{edits} \1/*"
    return re.sub(r"drove-gateway init \w+ ([\w-]+).*", change, text)


def instances_that_responded(output: str) -> set[str]:
    """Return the instances of app1 in an output of the block."""
    return set(re.findall(r'"app": "app1", [^}]*"instanceId": "([^"]+)"', output))
