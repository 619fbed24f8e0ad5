"""How a file would change, as a unified diff. Pure."""

from collections.abc import Iterator
from difflib import unified_diff

import click

from drove_gateway.cli.printable import printable

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def difference(before: str | None, after: str, name: str) -> Iterator[str]:
    """The lines that differ, with their surroundings, coloured for terminals.

    A file that is not there yet (None) is added as a whole.
    """
    old = "/dev/null" if before is None else name
    had, has = (before or "").splitlines(), after.splitlines()
    for line in map(printable, unified_diff(had, has, old, name, lineterm="")):
        yield click.style(line, fg=_COLOURS.get(line[:1])) if line[:1] in _COLOURS else line
