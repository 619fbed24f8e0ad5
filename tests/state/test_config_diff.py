"""The difference of two configurations."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.state import config_diff as tested

LINES = st.lists(st.sampled_from(["a", "  b", "  c", ""]), max_size=14).map(
    lambda lines: "".join(f"{line}\n" for line in lines)
)


def config_diff(before: str, after: str) -> str:
    return tested.config_diff(before, after, hide=lambda line: line)


def config(*backends: tuple[str, int]) -> str:
    return "".join(
        f"backend {name}\n  balance random\n"
        + "".join(f"  server s{n} 10.0.0.{n}:80\n" for n in range(servers))
        for name, servers in backends
    )


def test_a_changed_line_is_shown_with_its_surroundings_number_and_section() -> None:
    assert config_diff(config(("a", 2), ("b", 3)), config(("a", 2), ("b", 4))) == (
        "@@ line 8 @@ backend b\n"
        "   server s1 10.0.0.1:80\n"
        "   server s2 10.0.0.2:80\n"
        "+  server s3 10.0.0.3:80"
    )


def test_equal_texts_have_no_difference() -> None:
    assert config_diff(config(("a", 2)), config(("a", 2))) == ""


@given(LINES, LINES)
def test_the_changed_lines_lead_from_the_text_before_to_the_text_after(
    before: str, after: str
) -> None:
    diff = config_diff(before, after).splitlines()
    removed = Counter(line[1:] for line in diff if line.startswith("-"))
    added = Counter(line[1:] for line in diff if line.startswith("+"))

    left = Counter(before.splitlines())
    left.subtract(removed)
    left.update(added)

    assert +left == Counter(after.splitlines())
    assert min(left.values(), default=0) >= 0


@given(LINES, LINES, LINES, LINES)
def test_what_surrounds_a_change_does_not_change_what_is_shown_as_changed(
    first: str, before: str, after: str, last: str
) -> None:
    def changes(diff: str) -> int:
        return sum(line[:1] in {"+", "-"} for line in diff.splitlines())

    alone = changes(config_diff(before, after))
    assert changes(config_diff(first + before + last, first + after + last)) <= alone


def test_large_texts_that_differ_in_a_few_places_show_these_places() -> None:
    backends = [(f"v{number}", 10) for number in range(2000)]
    later = [*backends]
    later[10], later[1990] = ("v10", 11), ("v1990", 9)

    diff = config_diff(config(*backends), config(*later))

    assert [line for line in diff.splitlines() if line[:1] in "+-"] == [
        "+  server s10 10.0.0.10:80",
        "-  server s9 10.0.0.9:80",
    ]
    assert "backend v10" in diff


def test_texts_that_differ_too_much_are_counted_and_shown_in_part() -> None:
    diff = config_diff("", config(*((f"v{number}", 10) for number in range(200))))

    assert diff.startswith("@@ line 1 @@ 0 lines became 2,400 lines\n+backend v0\n")
    assert diff.endswith("… and 2,300 more lines")


def test_a_long_line_is_cut() -> None:
    assert max(map(len, config_diff("", "x" * 10_000).splitlines())) < 400


@pytest.mark.parametrize("before_it", range(280, 310))
def test_a_secret_is_hidden_where_its_line_is_cut(before_it: int) -> None:
    line = "x" * before_it + " http://jo:PASSWORD@10.0.0.1/"

    diff = tested.config_diff(
        "", f"{line}\n", hide=lambda text: re.sub(r"(jo:)[^@]*(?=@)", r"\1***", text)
    )

    assert "PA" not in diff


def test_long_lines_are_shown_up_to_a_size_and_the_others_are_counted() -> None:
    diff = config_diff("", "".join(f"{number} {'x' * 299}\n" for number in range(90)))

    assert len(diff) < 17_000
    assert diff.endswith("… and 35 more lines")
