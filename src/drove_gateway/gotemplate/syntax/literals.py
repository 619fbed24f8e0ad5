"""The constants of a template, read as Go's strconv reads them. `ValueError` carries Go's words."""

import math
import re
from typing import Final

from drove_gateway.gotemplate.go.strconv import MAX_RUNE, is_surrogate, quote
from drove_gateway.gotemplate.go.values import decode, encode
from drove_gateway.gotemplate.syntax.nodes import Number

_ESCAPE: Final = re.compile(
    r"""\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))"""
)
_NAMED: Final = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))
_INTEGER: Final = re.compile(
    r"([+-]?)(?:0[xX]((?:_?[0-9a-fA-F])+)|0[bB]((?:_?[01])+)|0[oO]?((?:_?[0-7])+)"
    r"|(0|[1-9](?:_?[0-9])*))"
)
_BASES: Final = (16, 2, 8, 10)
_DECIMAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_HEX_FLOAT: Final = re.compile(
    r"[+-]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][+-]?[0-9]+"
)
_BAD_UNDERSCORE: Final = re.compile(r"(?<![0-9])_|_(?![0-9])")
_BAD_HEX_UNDERSCORE: Final = re.compile(r"(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])")
_FLOAT: Final = (
    r"([+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?"
    r"|[0-9_]*(?:\.[0-9_]*)?(?:[eEpP][+-]?[0-9_]*)?))"
)
_PAIR: Final = re.compile(_FLOAT + "(?=[+-])" + _FLOAT + "i")


def unquote(literal: str) -> str:
    """The string that a quoted or raw Go string literal stands for."""
    body = literal[1:-1]
    if literal.startswith("`"):
        return body.replace("\r", "")
    if "\\" not in body:
        return body
    parts: list[bytes] = []
    at = 0
    while at < len(body):
        if body[at] == "\\":
            value, at = _escape(body, at, '"')
            parts.append(value)
        else:
            end = body.find("\\", at)
            end = len(body) if end < 0 else end
            parts.append(encode(body[at:end]))
            at = end
    return decode(b"".join(parts))


def _escape(text: str, at: int, mark: str) -> tuple[bytes, int]:
    found = _ESCAPE.match(text, at)
    if found is None:
        raise ValueError("invalid syntax")
    named, byte, short, long, octal = found.groups()
    if named:
        if named in "'\"" and named != mark:
            raise ValueError("invalid syntax")
        return _NAMED[named].encode(), found.end()
    if byte or octal:
        code = int(byte, 16) if byte else int(octal, 8)
        if code > 255:
            raise ValueError("invalid syntax")
        return bytes([code]), found.end()
    code = int(short or long, 16)
    if code > MAX_RUNE or is_surrogate(chr(code)):
        raise ValueError("invalid syntax")
    return chr(code).encode(), found.end()


def character(pos: int, literal: str) -> Number:
    """A character constant, which is a number."""
    code, end = _first_rune(literal)
    if literal[end:] != "'":
        raise ValueError(f"malformed character constant: {literal}")
    return Number(pos, literal, as_int=code, as_uint=code, as_float=float(code))


def _first_rune(literal: str) -> tuple[int, int]:
    if literal[1] == "'":
        raise ValueError("invalid syntax")
    if literal[1] != "\\":
        return (0xFFFD if is_surrogate(literal[1]) else ord(literal[1])), 2
    value, end = _escape(literal, 1, "'")
    is_byte = literal[2] in "x01234567"
    return (value[0] if is_byte else ord(value.decode())), end


def number(pos: int, text: str) -> Number:
    """An integer, a float, or an imaginary number."""
    if text.endswith("i"):
        imaginary = _parse_float(text[:-1])
        if imaginary is not None:
            return _complex(Number(pos, text, as_complex=complex(0, imaginary)))
    found = Number(pos, text)
    integer = _parse_int(text)
    if integer is not None:
        _set_integer(found, integer)
    if found.as_int is None and found.as_uint is None:
        _set_float(found)
    if found.as_int is None and found.as_uint is None and found.as_float is None:
        raise ValueError(f"illegal number syntax: {quote(text)}")
    return found


def _set_integer(found: Number, integer: int) -> None:
    signed = found.text[0] in "+-"
    if 0 <= integer < 2**64 and (not signed or integer == 0):
        found.as_uint = integer
    if -(2**63) <= integer < 2**63:
        found.as_int = integer
    if found.as_int is not None or found.as_uint is not None:
        found.as_float = float(integer)


def _set_float(found: Number) -> None:
    value = _parse_float(found.text)
    if value is None:
        return
    if not any(char in ".eEpP" for char in found.text):
        raise ValueError(f"integer overflow: {quote(found.text)}")
    found.as_float = value
    _set_whole(found, value)


def _set_whole(found: Number, value: float) -> None:
    if value.is_integer() and -(2**63) <= value < 2**63:
        found.as_int = int(value)
    if value.is_integer() and 0 <= value < 2**64:
        found.as_uint = int(value)


def complex_pair(pos: int, text: str) -> Number:
    """A complex constant such as `1+2i`."""
    pair = _PAIR.match(text)
    if pair is None or len(pair[2]) < 2:
        raise ValueError("syntax error scanning complex number")
    real, imaginary = (_require_float(part) for part in pair.groups())
    return _complex(Number(pos, text, as_complex=complex(real, imaginary)))


def _require_float(text: str) -> float:
    value = _parse_float(text)
    if value is not None:
        return value
    fits = _DECIMAL.fullmatch(text) is None and _HEX_FLOAT.fullmatch(text) is None
    problem = "invalid syntax" if fits else "value out of range"
    raise ValueError(f"strconv.ParseFloat: parsing {quote(text)}: {problem}")


def _complex(found: Number) -> Number:
    value = found.as_complex or 0j
    if value.imag == 0:
        found.as_float = value.real
        _set_whole(found, value.real)
    return found


def _parse_int(text: str) -> int | None:
    found = _INTEGER.fullmatch(text)
    if found is None:
        return None
    sign, *digits = found.groups()
    for base, group in zip(_BASES, digits, strict=True):
        if group is not None:
            value = int(group.replace("_", ""), base)
            return -value if sign == "-" else value
    return None


def _parse_float(text: str) -> float | None:
    """Parse a number; `None` if it is not a number or does not fit."""
    if "_" in text:
        misplaced = _BAD_HEX_UNDERSCORE if _is_hex(text) else _BAD_UNDERSCORE
        if misplaced.search(text):
            return None
        text = text.replace("_", "")
    if _is_hex(text):
        if not _HEX_FLOAT.fullmatch(text):
            return None
        try:
            return float.fromhex(text)
        except OverflowError:
            return None
    value = float(text) if _DECIMAL.fullmatch(text) else math.inf
    return None if math.isinf(value) else value


def _is_hex(text: str) -> bool:
    return text.lstrip("+-")[:2] in {"0x", "0X"}
