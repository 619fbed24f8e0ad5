"""How a file would change, as a unified diff. Pure."""

from collections.abc import Iterator
from difflib import unified_diff

import click

from drove_gateway.model.wording import printable

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def file_diff(before: str | None, after: str, name: str) -> Iterator[str]:
    """The changed lines with their surroundings, coloured for terminals.

    A file that does not exist yet (`before` is None) is added as a whole.
    """
    old = "/dev/null" if before is None else name
    old_lines, new_lines = (before or "").splitlines(), after.splitlines()
    for line in map(printable, unified_diff(old_lines, new_lines, old, name, lineterm="")):
        yield click.style(line, fg=_COLOURS.get(line[:1])) if line[:1] in _COLOURS else line
