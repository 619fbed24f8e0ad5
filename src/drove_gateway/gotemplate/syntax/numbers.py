"""Numbers in a template's text, as Go's lexer accepts them; `literals` works out their values."""

from typing import Final

from drove_gateway.gotemplate.go.strconv import quote
from drove_gateway.gotemplate.syntax.cursor import Cursor, is_alphanumeric
from drove_gateway.gotemplate.syntax.tokens import Kind, Token

_HEX: Final = "0123456789abcdefABCDEF_"
_DECIMAL: Final = "0123456789_"
_OCTAL: Final = "01234567_"
_BINARY: Final = "01_"


def number(cursor: Cursor) -> Token:
    """Read a number, or a complex number such as `1+2i`."""
    kind = Kind.NUMBER
    good = _scan(cursor)
    if good and cursor.peek() in {"+", "-"}:
        kind = Kind.COMPLEX
        good = _scan(cursor) and cursor.passed.endswith("i")
    if not good:
        return cursor.error(f"bad number syntax: {quote(cursor.passed)}")
    return cursor.token(kind)


def _scan(cursor: Cursor) -> bool:
    """Pass a number; false where a letter or digit follows that does not belong to it."""
    cursor.accept("+-")
    digits = _digits(cursor)
    cursor.accept_run(digits)
    if cursor.accept("."):
        cursor.accept_run(digits)
    exponent = {_DECIMAL: "eE", _HEX: "pP"}.get(digits, "")
    if exponent and cursor.accept(exponent):
        cursor.accept("+-")
        cursor.accept_run(_DECIMAL)
    cursor.accept("i")
    if is_alphanumeric(cursor.peek()):
        cursor.position += 1
        return False
    return True


def _digits(cursor: Cursor) -> str:
    """Pass the prefix that says the base, and return the digits of that base."""
    if cursor.accept("0"):
        if cursor.accept("xX"):
            return _HEX
        if cursor.accept("oO"):
            return _OCTAL
        if cursor.accept("bB"):
            return _BINARY
    return _DECIMAL
