"""Limits that stop a template that would not stop by itself.

The measure is work, not time, so that a template either always renders or never does. A step is a
pass through a `range` or a template call; where the interpreter is at work, every action too. Text
that functions make or take is a step for each 16 characters, once it is long.
"""

import re
from collections.abc import Sized
from typing import Final

from drove_gateway.gotemplate.go.values import raw

MAX_DEPTH: Final = 100_000
"""How deep templates may call templates, as in Go."""

MAX_STEPS: Final = 5_000_000
"""Twenty passes over 5,000 vhosts with 50 hosts each; a few seconds of work at the most."""

MAX_OUTPUT: Final = 64 * 1024 * 1024
"""Characters of output. For 100,000 servers of 5,000 vhosts the shipped templates need 13 million;
at the limit, rendering takes 130 MB of memory."""

LONG_TEXT: Final = 8192
"""Longer results of functions are left to the interpreter, which counts every use of them."""

_CHARACTERS_PER_STEP: Final = 16
_FREE_CHARACTERS: Final = 256
_WIDE: Final = re.compile(r"[0-9]{4}|\*")


class LimitError(Exception):
    """A limit was reached; becomes a `TemplateExecError`."""


def is_wide(form: str) -> bool:
    """Whether a format may make a long text of a short value."""
    return len(form) > 1024 or _WIDE.search(form) is not None


class Budget:
    """What an execution may still do."""

    __slots__ = ("max_output", "max_steps", "output", "steps")

    def __init__(self, max_steps: int, max_output: int) -> None:
        self.max_steps = max_steps
        self.max_output = max_output
        self.steps = 0
        self.output = 0

    def spend(self, steps: int = 1) -> None:
        """Counts steps. Raises `LimitError` when there are none left."""
        self.steps += steps
        if self.steps > self.max_steps:
            raise LimitError(f"exceeded maximum of {self.max_steps} steps")

    def spend_on(self, *values: object, times: int = 1) -> None:
        """Counts long text and long lists that a function takes or returns."""
        size = 0
        for value in values:
            plain = raw(value)
            if isinstance(plain, str | bytes | list | tuple):
                size += len(plain)
        if size * times > _FREE_CHARACTERS:
            self.spend(size * times // _CHARACTERS_PER_STEP)

    def write(self, characters: int) -> None:
        """Counts output. Raises `LimitError` when it is too much."""
        self.output += characters
        if self.output > self.max_output:
            raise LimitError(f"exceeded maximum output of {self.max_output} characters")


def is_long(value: Sized) -> bool:
    """Whether a function's result is too long to be handled without counting."""
    return len(value) > LONG_TEXT
