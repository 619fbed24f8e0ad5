"""Whether every request reaches the Lua balancer's log phase. Pure.

The balancer counts running requests, and learns in the log phase that they ended. A `log_by_lua`
in a `server` or `location` replaces the balancer's, which is in `http`: the counts only grow then,
a drained server never becomes idle, and failures go unnoticed.
"""

import re
from collections.abc import Iterator

from drove_gateway.proxies.installation.lint import LintFinding
from drove_gateway.proxies.nginx.lua.configuration import LOG_CALL
from drove_gateway.proxies.nginx.syntax import after_block

_DIRECTIVE = re.compile(r"(?:^|[;{}])[ \t]*(log_by_lua(?:_block|_file)?)\b", re.MULTILINE)


def lost_counts(text: str) -> Iterator[LintFinding]:
    """Find programs of the log phase that replace the balancer's."""
    if LOG_CALL not in text:
        return
    for directive in _DIRECTIVE.finditer(text):
        if LOG_CALL not in text[directive.end() : _end(text, directive)]:
            yield LintFinding(
                f"`{directive[1]}` replaces the Lua balancer's, so running requests and failed "
                f"servers are not counted; use `log_by_lua_block` and begin it with `{LOG_CALL}`",
                text.count("\n", 0, directive.start(1)) + 1,
            )


def _end(text: str, directive: re.Match[str]) -> int:
    if directive[1].endswith("_block"):
        opening = text.find("{", directive.end())
        return after_block(text, opening + 1) if opening >= 0 else len(text)
    end = text.find(";", directive.end())
    return end if end >= 0 else len(text)
