"""What NGINX accepts and what loses requests all the same. Pure.

Source of the facts: NGINX's documentation, and the measurements behind the shipped templates.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from drove_gateway.proxies.installation.lint import LintFinding, short_grace, without_proof
from drove_gateway.proxies.nginx.lua.log_phase import lost_counts


class _Directive(NamedTuple):
    """A directive on a line of its own, and the block around it."""

    number: int
    block: str
    words: list[str]


def lint(text: str) -> tuple[LintFinding, ...]:
    """Return what in a configuration loses requests, each kind once."""
    directives = list(_directives(text))
    findings = [*without_proof(text), *itertools.islice(lost_counts(text), 1)]
    for rule in _RULES:
        findings += list(rule(directives))[:1]
    return tuple(findings)


def _directives(text: str) -> Iterator[_Directive]:
    blocks = [""]
    for number, line in enumerate(text.splitlines(), 1):
        code = re.sub(r"(^|\s)#.*", "", line).strip()
        if code.endswith("{"):
            blocks.append(code.split()[0])
        elif code == "}":
            blocks = blocks[:-1] or [""]
        elif code.endswith(";") and (words := code.rstrip(";").split()):
            yield _Directive(number, blocks[-1], words)


def _shutdown(directives: Sequence[_Directive]) -> Iterator[LintFinding]:
    for each in directives:
        if each.words[0] == "worker_shutdown_timeout" and len(each.words) > 1:
            yield from short_grace(each.number, each.words[0], each.words[1], "s")


def _repeats(directives: Sequence[_Directive]) -> Iterator[LintFinding]:
    for each in directives:
        if each.words[0].endswith("_next_upstream") and "non_idempotent" in each.words:
            yield LintFinding(
                f"`{each.words[0]} non_idempotent` sends requests that change something, such as "
                "POST, to a second server although the first may have carried them out",
                each.number,
            )


def _max_fails(directives: Sequence[_Directive]) -> Iterator[LintFinding]:
    for each in directives:
        options = " ".join(each.words)
        if (
            each.block == "upstream"
            and each.words[0] == "server"
            and not re.search(r"max_fails=| down\b| resolve\b", options)
        ):
            yield LintFinding(
                "a server without `max_fails=0` gets no requests for 10 s after one failed "
                "connection, and if that happens to all servers, every request fails",
                each.number,
            )


def _connect(directives: Sequence[_Directive]) -> Iterator[LintFinding]:
    passes = [each for each in directives if each.words[0] == "proxy_pass"]
    if passes and not any(each.words[0] == "proxy_connect_timeout" for each in directives):
        yield LintFinding(
            "there is no `proxy_connect_timeout`, so a request waits 60 s for a machine that has "
            "vanished before NGINX tries the next server",
            passes[0].number,
        )


_RULES: tuple[Callable[[Sequence[_Directive]], Iterator[LintFinding]], ...] = (
    _shutdown,
    _repeats,
    _max_fails,
    _connect,
)
