"""Print for people. Text from Drove, a proxy or a gateway cannot control the terminal."""

import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from drove_gateway.cli.terminal import fitted, terminal_width
from drove_gateway.model.errors import ConfigError, GatewayError
from drove_gateway.model.vocabulary import Rejection
from drove_gateway.model.wording import printable, shortened

# So that the warnings that matter stay on one screen.
_MOST_REJECTED = 20

_WARNINGS = f"{__name__}.warnings"


def say(text: str, *, stderr: bool = False) -> None:
    """Print a result."""
    click.echo(fitted(printable(text), terminal_width(stderr=stderr)), err=stderr)


def warn(text: str, *, level: str = "warning") -> None:
    """Print a warning to stderr, and count it; the command continues."""
    if context := click.get_current_context(silent=True):
        context.meta[_WARNINGS] = warnings_so_far() + 1
    _print_coloured(f"{level}: {text}", "yellow")


def warnings_so_far() -> int:
    """Return how many warnings the command has printed."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_WARNINGS, 0) if context else 0


def warn_of_rejected(rejected: Sequence[Rejection], most: int = _MOST_REJECTED) -> None:
    """Warn of the first rejected entries from Drove, each with its reason."""
    lines = [
        f"rejected: namespace {entry.namespace}, app {entry.app_id}: {entry.subject} "
        f"{entry.value!r}: {entry.reason}"
        for entry in rejected
    ]
    for line in shortened(lines, most, "entries are rejected"):
        warn(line)


def print_problems(error: ConfigError) -> None:
    """Print every problem of a configuration to stderr, each on a line."""
    for problem in error.problems:
        _print_coloured(f"error: {problem}", "red")


def fail(error: GatewayError) -> NoReturn:
    """Print an error to stderr and exit with 1."""
    _print_coloured(f"error: {error}", "red")
    sys.exit(1)


def _print_coloured(text: str, colour: str) -> None:
    click.secho(fitted(printable(text), terminal_width(stderr=True)), fg=colour, err=True)
