"""The gateway's functions have the semantics of those of Go's standard library."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.functions.signatures import function
from drove_gateway.gotemplate.go.format import text
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.gotemplate.go.types import INT, STRING, STRING_SLICE

FUNCTIONS = gateway_functions({"HOME": "/root", "EMPTY": ""}, lambda: GoTime(0, UTC))

CALLS: list[tuple[str, tuple[object, ...], object]] = [
    ("hasPrefix", ("api.example.com", "api."), True),
    ("hasPrefix", ("api", ""), True),
    ("hasSuffix", ("api.example.com", ".com"), True),
    ("hasSuffix", ("api", "API"), False),
    ("contains", ("api.example.com", "example"), True),
    ("contains", ("", "x"), False),
    ("split", ("a,b,,c", ","), ["a", "b", "", "c"]),
    ("split", ("aéb", ""), ["a", "é", "b"]),
    ("split", ("", ","), [""]),
    ("split", ("", ""), []),
    ("trim", ("xxaxx", "x"), "a"),
    ("trim", ("  a b  ", " b"), "a"),
    ("trim", ("a.example.com", ".com"), "a.example"),
    ("trim", (" a ", ""), " a "),
    ("replace", ("aaa", "a", "b", 2), "bba"),
    ("replace", ("aaa", "a", "b", -1), "bbb"),
    ("replace", ("aaa", "a", "b", 0), "aaa"),
    ("replace", ("aé", "", "-", -1), "-a-é-"),
    ("tolower", ("ABC É ΛΣ İ",), "abc é λ\u03c3 i"),
    ("tolower", ("A\udcff",), "a\ufffd"),
    ("getenv", ("HOME",), "/root"),
    ("getenv", ("EMPTY",), ""),
    ("getenv", ("UNSET",), ""),
    ("hostport", ("10.0.0.1", 80), "10.0.0.1:80"),
    ("hostport", ("2001:db8::1", 80), "[2001:db8::1]:80"),
    ("hostport", ("[2001:db8::1]", 80), "[2001:db8::1]:80"),
    ("hostport", ("db", "5432"), "db:5432"),
    ("hostport", ("", None), ":<nil>"),
]


@pytest.mark.parametrize(("name", "args", "want"), CALLS)
def test_a_function_answers_as_go_does(name: str, args: tuple[object, ...], want: object) -> None:
    assert FUNCTIONS[name](*args) == want


def test_join_puts_a_separator_between_texts() -> None:
    assert FUNCTIONS["join"](["a", "b"], "-") == "a-b"
    assert FUNCTIONS["join"]([], "-") == ""


def test_datetime_asks_the_clock_at_each_call() -> None:
    ticks = iter([GoTime(0, UTC), GoTime(1_000_000_000, UTC)])
    clock = gateway_functions({}, lambda: next(ticks))["datetime"]
    assert [text(clock()), text(clock())] == [
        "1970-01-01 00:00:00 +0000 UTC",
        "1970-01-01 00:00:01 +0000 UTC",
    ]


def test_the_environment_is_the_one_given() -> None:
    assert gateway_functions({"A": "1"}, lambda: GoTime(0, UTC))["getenv"]("A") == "1"


def test_annotations_say_the_go_types_of_arguments_and_results() -> None:
    replace, split = function(FUNCTIONS["replace"]), function(FUNCTIONS["split"])
    assert (replace.params, replace.result) == ((STRING, STRING, STRING, INT), STRING)
    assert (split.params, split.result) == ((STRING, STRING), STRING_SLICE)
    assert function(FUNCTIONS["join"]).params == (STRING_SLICE, STRING)
    assert function(FUNCTIONS["datetime"]).params == ()


@given(st.text(), st.text(min_size=1))
def test_join_undoes_split(value: str, separator: str) -> None:
    parts = FUNCTIONS["split"](value, separator)
    assert FUNCTIONS["join"](parts, separator) == value
