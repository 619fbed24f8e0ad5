"""How a file would change, as a unified diff. Pure."""

from collections.abc import Callable, Iterator
from difflib import unified_diff

import click

from drove_gateway.model.wording import printable

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


def file_diff(
    before: str | None, after: str, name: str, hide: Callable[[str], str]
) -> Iterator[str]:
    """The changed lines with their surroundings, coloured for terminals.

    `hide` takes the secrets out of each line: a diff is pasted into tickets. A file that does not
    exist yet (`before` is None) is added as a whole.
    """
    old = "/dev/null" if before is None else name
    old_lines, new_lines = (before or "").splitlines(), after.splitlines()
    for changed in unified_diff(old_lines, new_lines, old, name, lineterm=""):
        line = printable(hide(changed))
        yield click.style(line, fg=_COLOURS.get(line[:1])) if line[:1] in _COLOURS else line
