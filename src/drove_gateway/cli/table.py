"""Tables for terminals that stay readable on a narrow terminal. Pure."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import click

from drove_gateway.model.wording import printable

_GAP = "  "
# A narrower last column is hard to read; then each row becomes a list.
_NARROWEST = 24


class Cell(NamedTuple):
    """A text and its colour on terminals."""

    text: str
    colour: str = ""

    def painted(self, text: str) -> str:
        """`text`, which is all or part of the cell's, in the cell's colour."""
        return click.style(text, fg=self.colour) if self.colour and text else text


def table(heading: Sequence[str], rows: Sequence[Sequence[Cell]], width: int) -> Iterator[str]:
    """Lines of at most `width` characters: columns, the last of which is wrapped.

    If too little width is left for the last column, each row becomes a list of its cells.
    """
    rows = [[Cell(printable(cell.text), cell.colour) for cell in row] for row in rows]
    widths = [
        max(len(name), *(len(row[column].text) for row in rows))
        for column, name in enumerate(heading[:-1])
    ]
    left = width - sum(widths) - len(_GAP) * len(widths)
    if left < max(_NARROWEST, len(heading[-1])):
        yield click.style(heading[0], fg="bright_black")
        for row in rows:
            yield from _listed(heading, row, width)
        return
    yield _line([Cell(name, "bright_black") for name in heading], widths)
    for row in rows:
        *cells, last = row
        for number, piece in enumerate(wrapped(last.text, left)):
            before = cells if number == 0 else [Cell("")] * len(cells)
            yield _line([*before, Cell(piece, last.colour)], widths)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """`text` in lines of at most `width` characters; an empty text is an empty line."""
    return textwrap.wrap(
        printable(text),
        max(width, len(indent) + 1),
        initial_indent=indent,
        subsequent_indent=indent,
    ) or [""]


def _line(cells: Sequence[Cell], widths: Sequence[int]) -> str:
    *before, last = cells
    padded = [
        cell.painted(cell.text) + " " * (size - len(cell.text))
        for cell, size in zip(before, widths, strict=True)
    ]
    return _GAP.join([*padded, last.painted(last.text)]).rstrip()


def _listed(heading: Sequence[str], row: Sequence[Cell], width: int) -> Iterator[str]:
    yield row[0].painted(row[0].text)
    for name, cell in zip(heading[1:], row[1:], strict=True):
        if cell.text:
            text = f"{name.lower()}: {cell.text}" if name else cell.text
            yield from (cell.painted(line) for line in wrapped(text, width, _GAP))
