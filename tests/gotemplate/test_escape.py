"""Go's escaping functions: every expected text was printed by Go 1.26."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.gotemplate.functions.escape import html, js, urlquery

HTML: list[tuple[str, str]] = [
    ("plain", "plain"),
    ("a <b> & \"c\" 'd'", "a &lt;b&gt; &amp; &#34;c&#34; &#39;d&#39;"),
    ("\x00", "\ufffd"),
    ("é\udcff\n", "é\udcff\n"),
]

JS: list[tuple[str, str]] = [
    ("plain é 日 😀", "plain é 日 😀"),
    ("a\n<b>'\"", "a\\u000A\\u003Cb\\u003E\\'\\\""),
    ("\\&=\t\x00\x7f", "\\\\\\u0026\\u003D\\u0009\\u0000\x7f"),
    ("\u2028\ufeff\u00a0", "\\u2028\\uFEFF\\u00A0"),
    ("\U000e0001", "\\uE0001"),
    ("\udcff", "\udcff"),
]

URLQUERY: list[tuple[str, str]] = [
    ("a b", "a+b"),
    ("a <b> & \"c\" 'd'", "a+%3Cb%3E+%26+%22c%22+%27d%27"),
    ("-_.~!*()/?:@$,;+%", "-_.~%21%2A%28%29%2F%3F%3A%40%24%2C%3B%2B%25"),
    ("é\udcff", "%C3%A9%FF"),
]


@pytest.mark.parametrize(("text", "want"), HTML)
def test_html_replaces_what_html_reserves(text: str, want: str) -> None:
    assert html(text) == want


@pytest.mark.parametrize(("text", "want"), JS)
def test_js_escapes_quotes_markup_and_what_does_not_print(text: str, want: str) -> None:
    assert js(text) == want


@pytest.mark.parametrize(("text", "want"), URLQUERY)
def test_urlquery_escapes_bytes(text: str, want: str) -> None:
    assert urlquery(text) == want


def test_several_arguments_are_printed_before_they_are_escaped() -> None:
    assert html("a", 1, "b") == "a1b"
    assert html(1, 2) == "1 2"
    assert js(1.5, "'", ["<"]) == "1.5\\'[\\u003C]"


def test_nil_is_not_a_value() -> None:
    assert html(None) == "&lt;no value&gt;"
    assert urlquery(None, 1) == "%3Cno+value%3E1"
    assert urlquery() == ""


@given(st.text())
def test_html_output_has_no_markup(text: str) -> None:
    assert not set(html(text)) & set("<>\"'\0")
