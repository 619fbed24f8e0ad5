"""Which elements of two sequences are not the same. Pure.

Whatever makes sequences anew takes over the elements that did not change, as the same objects. So
two sequences are compared piece by piece, which passes over equal objects without a look at them,
and only where a piece differs element by element.
"""

from collections.abc import Iterator, Sequence
from itertools import takewhile
from operator import is_
from typing import TypeVar

T = TypeVar("T")

_PIECE = 256


def identity_diff(before: Sequence[T], after: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Return those elements of each sequence that may be missing in the other, in their order.

    What is left out of a sequence has an equal in the other, which is left out as well. An element
    that only moved may be in both.
    """
    if len(before) == len(after):
        pairs = list(_differing(before, after))
        return tuple(old for old, _ in pairs), tuple(new for _, new in pairs)
    start = _alike(before, after)
    before, after = before[start:], after[start:]
    end = _alike(before[::-1], after[::-1])
    return before[: len(before) - end], after[: len(after) - end]


def _differing(before: Sequence[T], after: Sequence[T]) -> Iterator[tuple[T, T]]:
    for start in range(0, len(before), _PIECE):
        piece, other = before[start : start + _PIECE], after[start : start + _PIECE]
        if piece != other:
            yield from ((a, b) for a, b in zip(piece, other, strict=True) if a is not b)


def _alike(first: Sequence[T], second: Sequence[T]) -> int:
    """At how many places from the start both have the same."""
    start = 0
    while start < len(first) and first[start : start + _PIECE] == second[start : start + _PIECE]:
        start += _PIECE
    rest = map(is_, first[start : start + _PIECE], second[start : start + _PIECE])
    return min(start, len(first), len(second)) + sum(takewhile(bool, rest))
