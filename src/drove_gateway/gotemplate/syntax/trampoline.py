"""Recursion without Python's stack.

A template may nest as deeply as its author likes, and templates may call themselves 100,000
levels deep. Functions which recurse along such structures are generators that yield the call
instead of making it.
"""

from collections.abc import Generator
from typing import Any, TypeVar

T = TypeVar("T")

Steps = Generator["Steps[Any]", Any, T]


def run(steps: "Steps[T]") -> T:
    """Runs a generator that yields its calls, and returns what it returns."""
    stack: list[Steps[Any]] = [steps]
    result: Any = None
    while True:
        try:
            call = stack[-1].send(result)
        except StopIteration as done:
            result = done.value
            stack.pop()
            if not stack:
                return result  # type: ignore[no-any-return]
        else:
            stack.append(call)
            result = None
