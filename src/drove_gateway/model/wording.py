"""Wording that several messages share: long lists, counted nouns, and text from outside. Pure."""

from collections.abc import Iterable, Sequence

_KEPT = frozenset("\n\t")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def first_and_more(items: Sequence[str], limit: int, *, separator: str = "; ") -> str:
    """Return the first `limit` items, and how many more there are: `a; b; and 3 more`."""
    shown = separator.join(items[:limit])
    more = len(items) - limit
    return f"{shown}{separator}and {more} more" if more > 0 else shown


def by_message(messages: Iterable[tuple[str, str]]) -> str:
    """Return what each subject reports, equal messages once: `a, b: message; c: another`."""
    subjects: dict[str, list[str]] = {}
    for subject, message in messages:
        subjects.setdefault(message, []).append(subject)
    return "; ".join(f"{', '.join(named)}: {message}" for message, named in subjects.items())


def shortened(lines: Sequence[str], limit: int, nouns: str) -> tuple[str, ...]:
    """Return the first `limit` lines, and a last line that counts the others."""
    more = len(lines) - limit
    return (*lines[:limit], f"and {more} more {nouns}") if more > 0 else tuple(lines)


def count_of(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 server`, `2 servers`. `plural` is for irregular nouns."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def age(seconds: float) -> str:
    """Return a duration in the units that matter: "12 s", "3 h 5 min"."""
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE} min"
    if whole < 2 * _DAY:
        return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def old_workers_left(count: int, memory: int) -> str:
    """Say how many old workers of the proxy are left, with `memory` bytes if that is known."""
    held = f" with {memory / 1e6:,.0f} MB" if memory else ""
    still = "still finishes" if count == 1 else "still finish"
    return f"{count_of(count, 'old worker')}{held} {still} connections of before a reload"


def printable(text: str, limit: int | None = None) -> str:
    """Return `text` with a mark in place of each character that could command a terminal.

    With a `limit` the result is also a single line of at most that many characters and an
    ellipsis, so that foreign text can neither forge a log line nor fill a page.
    """
    if limit is not None:
        text = " ".join(text[: 4 * limit + 1].split())
    if not text.isprintable():
        text = "".join(char if char.isprintable() or char in _KEPT else "�" for char in text)
    return f"{text[:limit]}…" if limit is not None and len(text) > limit else text
