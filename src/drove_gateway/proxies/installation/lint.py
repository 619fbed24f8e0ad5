"""What passes a proxy's check and loses requests all the same. Pure.

Each kind of proxy has its own rules; here is what they share. A rule reports the first line that
breaks it, because a template repeats lines for each vhost. What a reload loses with the proxy's
defaults is found by the `hazards` of each kind.
"""

import re
from collections.abc import Callable, Iterator

import msgspec

from drove_gateway.proxies.installation.render import proof_url

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
SHORTEST_GRACE_SECONDS = 30.0


class LintFinding(msgspec.Struct, frozen=True):
    """Why a configuration loses requests, and the line; None where a line is missing."""

    message: str
    line: int | None = None


Lint = Callable[[str], tuple[LintFinding, ...]]
"""Return the findings in a configuration's text."""


def nothing(text: str) -> tuple[LintFinding, ...]:
    """Find nothing: the rules of a proxy that has none."""
    del text
    return ()


def without_proof(text: str) -> Iterator[LintFinding]:
    """Find a missing generation mark."""
    if proof_url(text) is None:
        yield LintFinding(
            "there is no line `# drove-gateway: generation URL`, so a reload that does not take "
            "effect goes unnoticed; see `drove-gateway template`"
        )


def short_grace(line: int, keyword: str, value: str, unit: str) -> Iterator[LintFinding]:
    """Find a time limit of old workers that ends ordinary requests. `unit` is of plain numbers."""
    seconds = duration(value, unit)
    if seconds is not None and seconds < SHORTEST_GRACE_SECONDS:
        yield LintFinding(
            f"`{keyword} {value}` ends requests that take longer, at each reload; "
            f"use {SHORTEST_GRACE_SECONDS:.0f}s or more",
            line,
        )


def duration(value: str, unit: str) -> float | None:
    """Return seconds of a time such as `10m` or `500ms`; None if it is not a single number."""
    match = re.fullmatch(r"(\d{1,15})(ms|[smhd])?", value)
    return int(match[1]) * _UNITS[match[2] or unit] if match else None
