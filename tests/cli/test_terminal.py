"""Output fits the terminal, and stays whole where a program reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.cli.terminal import fitted

LONG = "warning: /etc/drove-gateway/haproxy.tmpl:3: the template is interpreted, which is slower"


def test_without_a_terminal_lines_stay_whole() -> None:
    assert fitted(LONG, None) == LONG


def test_the_rest_of_a_line_is_indented_more() -> None:
    first, second, *rest = fitted(f"  {LONG}", 60).split("\n")

    assert first.startswith("  warning: /etc/drove-gateway/haproxy.tmpl:3:")
    assert second.startswith("      ")
    assert rest == []


@pytest.mark.parametrize("width", [40, 60, 79])
def test_words_stay_whole_and_no_line_is_too_wide(width: int) -> None:
    lines = fitted(LONG, width).split("\n")

    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == LONG.split()


@given(st.text(alphabet="ab/ \n", max_size=300), st.integers(1, 120))
def test_no_word_is_lost(text: str, width: int) -> None:
    assert fitted(text, width).split() == text.split()
