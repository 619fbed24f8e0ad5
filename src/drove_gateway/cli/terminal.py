"""Fit text to a terminal. Where output is not a terminal, lines stay whole for other programs."""

import shutil
import sys
import textwrap

_NARROWEST = 40
_HANGING = "    "


def terminal_width(*, stderr: bool = False) -> int | None:
    """Return the columns of the terminal that an output is; None if it is not a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    return shutil.get_terminal_size().columns if stream.isatty() else None


def fitted(text: str, width: int | None) -> str:
    """Break each line of `text` at blanks, so that it fits into `width` columns.

    The rest of a line is indented more than its beginning. Words stay whole: paths, URLs and
    commands can be copied. Without a width, the text is returned as it is.
    """
    if width is None:
        return text
    return "\n".join(_fitted(line, max(width, _NARROWEST)) for line in text.split("\n"))


def _fitted(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    indent = line[: len(line) - len(line.lstrip())]
    return "\n".join(
        textwrap.wrap(
            line,
            width,
            subsequent_indent=indent + _HANGING,
            drop_whitespace=True,
            replace_whitespace=False,
            break_long_words=False,
            break_on_hyphens=False,
        )
    )
