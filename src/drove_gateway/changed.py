"""Which elements of two sequences are not the same objects. Pure.

Whatever makes sequences anew takes over the elements that did not change. So what differs between
two of them is found by comparing identities, without a look at any element.
"""

from collections.abc import Sequence
from itertools import compress, takewhile
from operator import is_, is_not
from typing import TypeVar

T = TypeVar("T")


def changed(before: Sequence[T], after: Sequence[T]) -> tuple[Sequence[T], Sequence[T]]:
    """Of each sequence those elements that may not be in the other one, in their order.

    What is left out of one is left out of the other. An element that only moved may be in both.
    """
    if len(before) == len(after):
        differs = list(map(is_not, before, after))
        return tuple(compress(before, differs)), tuple(compress(after, differs))
    start = _alike(before, after)
    before, after = before[start:], after[start:]
    end = _alike(before[::-1], after[::-1])
    return before[: len(before) - end], after[: len(after) - end]


def _alike(first: Sequence[T], second: Sequence[T]) -> int:
    """At how many places from the start both have the same object."""
    return sum(takewhile(bool, map(is_, first, second)))
