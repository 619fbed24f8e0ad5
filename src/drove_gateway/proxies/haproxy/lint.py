"""What HAProxy accepts and what loses requests all the same. Pure.

Source of the facts: HAProxy's configuration manual, and the measurements behind the shipped
templates.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from drove_gateway.proxies.installation.lint import LintFinding, short_grace, without_proof
from drove_gateway.proxies.runtime.resolver import is_address

_REPEATING = {"all-retryable-errors", "empty-response", "junk-response", "response-timeout"}


class _Line(NamedTuple):
    number: int
    words: list[str]


def lint(text: str) -> tuple[LintFinding, ...]:
    """Return what in a configuration loses requests, each kind once."""
    lines = [
        _Line(number, line.split("#", 1)[0].split())
        for number, line in enumerate(text.splitlines(), 1)
    ]
    lines = [line for line in lines if line.words]
    findings = list(without_proof(text))
    for rule in _RULES:
        findings += list(rule(lines))[:1]
    return tuple(findings)


def _redispatch(lines: Sequence[_Line]) -> Iterator[LintFinding]:
    if not _has(lines, "option", "redispatch"):
        yield LintFinding(
            "there is no `option redispatch`, so a request whose server refuses the connection "
            "fails although other servers are left"
        )


def _repeats(lines: Sequence[_Line]) -> Iterator[LintFinding]:
    if _has(lines, "http-request", "disable-l7-retry"):
        return
    for line in lines:
        if line.words[0] == "retry-on" and (risky := _REPEATING & set(line.words)):
            yield LintFinding(
                f"`retry-on {' '.join(sorted(risky))}` repeats requests that a server has "
                "received, also those that change something; exclude them with "
                "`http-request disable-l7-retry`",
                line.number,
            )


def _reuse(lines: Sequence[_Line]) -> Iterator[LintFinding]:
    for line in lines:
        if line.words[:2] == ["http-reuse", "always"]:
            yield LintFinding(
                "`http-reuse always` sends a client's first request on a connection that the "
                "server may just be closing; use `safe`",
                line.number,
            )


def _marked_down(lines: Sequence[_Line]) -> Iterator[LintFinding]:
    for line in lines:
        if "on-marked-down" in line.words and "shutdown-sessions" in line.words:
            yield LintFinding(
                "`on-marked-down shutdown-sessions` ends running requests when a health check "
                "fails",
                line.number,
            )


def _hard_stop(lines: Sequence[_Line]) -> Iterator[LintFinding]:
    for line in lines:
        if line.words[0] == "hard-stop-after" and len(line.words) > 1:
            yield from short_grace(line.number, "hard-stop-after", line.words[1], "ms")


def _names(lines: Sequence[_Line]) -> Iterator[LintFinding]:
    if any(line.words[0] == "default-server" and "init-addr" in line.words for line in lines):
        return
    for line in lines:
        if line.words[0] == "server" and len(line.words) > 2 and "init-addr" not in line.words:
            host = re.sub(r":\d*$", "", line.words[2])
            if re.match(r"[A-Za-z0-9]", host) and not is_address(host):
                yield LintFinding(
                    f"HAProxy does not start while {host} cannot be resolved; add "
                    "`default-server init-addr last,libc,none`",
                    line.number,
                )


def _has(lines: Sequence[_Line], *words: str) -> bool:
    return any(line.words[: len(words)] == list(words) for line in lines)


_RULES: tuple[Callable[[Sequence[_Line]], Iterator[LintFinding]], ...] = (
    _redispatch,
    _repeats,
    _reuse,
    _marked_down,
    _hard_stop,
    _names,
)
