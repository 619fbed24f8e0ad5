"""Tables: columns where there is room, lists where there is not, never a line too long."""

import click
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.cli.table import Cell, table

ROWS = [
    (Cell("stage"), Cell("3 s"), Cell("all is well", "green")),
    (Cell("production"), Cell("12 min"), Cell("nobody leads since the network was moved")),
]
HEADING = ("NAME", "AGE", "STATE")


def plain(width: int) -> list[str]:
    return [click.unstyle(line) for line in table(HEADING, ROWS, width)]


def test_columns_are_aligned_and_the_last_one_is_wrapped() -> None:
    assert plain(48) == [
        "NAME        AGE     STATE",
        "stage       3 s     all is well",
        "production  12 min  nobody leads since the",
        "                    network was moved",
    ]


def test_rows_become_lists_if_the_last_column_would_be_too_narrow() -> None:
    assert plain(30) == [
        "NAME",
        "stage",
        "  age: 3 s",
        "  state: all is well",
        "production",
        "  age: 12 min",
        "  state: nobody leads since",
        "  the network was moved",
    ]


def test_colours_do_not_move_columns() -> None:
    painted = list(table(HEADING, ROWS, 48))
    assert "\x1b[32mall is well\x1b[0m" in painted[1]
    assert [click.unstyle(line) for line in painted] == plain(48)


@given(st.integers(20, 200), st.lists(st.text("abc xyz-.", max_size=60), min_size=1, max_size=4))
def test_no_line_is_wider_than_the_terminal(width: int, texts: list[str]) -> None:
    rows = [(Cell("name"), Cell("12 s"), Cell(text)) for text in texts]
    assert all(len(click.unstyle(line)) <= width for line in table(HEADING, rows, width))
