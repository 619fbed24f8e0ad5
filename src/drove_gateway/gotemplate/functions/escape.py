"""`html`, `js` and `urlquery`, as Go's text/template escapes."""

import re
from typing import Final
from urllib.parse import quote_plus

from drove_gateway.gotemplate.go.format import sprint
from drove_gateway.gotemplate.go.values import MISSING, encode

_HTML: Final = str.maketrans(
    {
        "\0": "\ufffd",
        '"': "&#34;",
        "'": "&#39;",
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
    }
)
_JS_SPECIAL: Final = re.compile(r"[\\'\"<>&=\x00-\x1f]|[^\x00-\x7f]")
_JS_BACKSLASHED: Final = "\\'\""


def html(*args: object) -> str:
    """The arguments, printed and escaped for HTML."""
    return _printed(args).translate(_HTML)


def js(*args: object) -> str:
    """The arguments, printed and escaped for a JavaScript string."""
    return _JS_SPECIAL.sub(_js_escape, _printed(args))


def urlquery(*args: object) -> str:
    """The arguments, printed and escaped for the query of a URL."""
    return quote_plus(encode(_printed(args)))


def _printed(args: tuple[object, ...]) -> str:
    return sprint(["<no value>" if arg is None or arg is MISSING else arg for arg in args])


def _js_escape(match: re.Match[str]) -> str:
    char = match[0]
    if char in _JS_BACKSLASHED:
        return "\\" + char
    code = ord(char)
    # A byte that is not UTF-8 counts as U+FFFD in Go, which is printable: it stays as it is.
    if code > 0x7F and (char.isprintable() or 0xDC80 <= code <= 0xDCFF):
        return char
    return f"\\u{code:04X}"
