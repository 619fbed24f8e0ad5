"""What stops a template that would not stop by itself.

The measure is work, not time, so that a template either always renders or never does: every pass
through a `range`, every template call and every 256 characters that a function returns is a step.
"""

from typing import Final

MAX_DEPTH: Final = 100_000
"""How deep templates may call templates, as in Go."""

MAX_STEPS: Final = 10_000_000
"""Enough for a template that pairs 3,000 vhosts with each other; about as many seconds as it has
millions of steps."""

MAX_OUTPUT: Final = 256 * 1024 * 1024
"""Characters of output."""

CHARACTERS_PER_STEP: Final = 256


class LimitError(Exception):
    """A limit was reached; becomes a `TemplateExecError`."""


class Budget:
    """What one execution has left."""

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

    def spend_on(self, result: object) -> None:
        """Counts the text that a function returned."""
        if type(result) is str and len(result) > CHARACTERS_PER_STEP:
            self.spend(len(result) // CHARACTERS_PER_STEP)

    def write(self, characters: int) -> None:
        """Counts output. Raises `LimitError` when it is too much."""
        self.output += characters
        if self.output > self.max_output:
            raise LimitError(f"exceeded maximum output of {self.max_output} characters")
