"""The wording that several messages share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.model.wording import (
    by_message,
    count_of,
    first_and_more,
    printable,
    shortened,
)


@pytest.mark.parametrize(
    ("messages", "text"),
    [
        ([], ""),
        ([("a", "refused")], "a: refused"),
        ([("a", "refused"), ("b", "silent"), ("c", "refused")], "a, c: refused; b: silent"),
    ],
)
def test_a_message_of_several_subjects_is_given_once(
    messages: list[tuple[str, str]], text: str
) -> None:
    assert by_message(messages) == text


@pytest.mark.parametrize(
    ("items", "text"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a; b"),
        (["a", "b", "c"], "a; b; and 1 more"),
        (["a", "b", "c", "d"], "a; b; and 2 more"),
    ],
)
def test_a_long_list_names_the_first_and_counts_the_rest(items: list[str], text: str) -> None:
    assert first_and_more(items, 2) == text


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        ([], ()),
        (["a", "b"], ("a", "b")),
        (["a", "b", "c", "d"], ("a", "b", "and 2 more changes")),
    ],
)
def test_many_lines_end_with_a_count_of_the_others(lines: list[str], kept: tuple[str, ...]) -> None:
    assert shortened(lines, 2, "changes") == kept


def test_a_list_may_be_separated_otherwise() -> None:
    assert first_and_more(["a", "b", "c"], 2, separator=", ") == "a, b, and 1 more"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 servers"), (1, "1 server"), (2000, "2,000 servers")]
)
def test_a_noun_agrees_with_its_number(number: int, text: str) -> None:
    assert count_of(number, "server") == text


def test_an_irregular_plural_is_given() -> None:
    assert (count_of(1, "proxy", "proxies"), count_of(3, "proxy", "proxies")) == (
        "1 proxy",
        "3 proxies",
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ü", "plain ü"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("\x1b[31mred", "�[31mred"),
        ("turned \u202e round", "turned � round"),
    ],
)
def test_nothing_commands_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(), st.integers(1, 30))
def test_with_a_limit_foreign_text_is_one_short_printable_line(text: str, limit: int) -> None:
    shown = printable(text, limit)

    assert len(shown) <= limit + 1
    assert shown.isprintable()


def test_with_a_limit_the_cut_is_marked() -> None:
    assert printable("a  b\nc d", 5) == "a b c…"
    assert printable("a b", 5) == "a b"
