"""How Go spells strings, characters and floats: the part of its `strconv` that `fmt` stands on."""

import math
import re
from typing import Final

REPLACEMENT: Final = "\ufffd"
MAX_RUNE: Final = 0x10FFFF

_PLAIN: Final = re.compile(r'[^"\\]*')
_ASCII_PLAIN: Final = re.compile(r"[ !#-\[\]-~]*")
_NAMED_ESCAPES: Final = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
}
_MANTISSA_BITS: Final = 52
_LEADING_ONE: Final = 1 << 60


def is_surrogate(char: str) -> bool:
    """Whether `char` is half of a surrogate pair, or a byte kept by ``surrogateescape``."""
    return "\ud800" <= char <= "\udfff"


def rune(number: int) -> str:
    """The character with this code, U+FFFD where there is none."""
    if 0 <= number <= MAX_RUNE and not 0xD800 <= number <= 0xDFFF:
        return chr(number)
    return REPLACEMENT


def quote(text: str, ascii_only: bool = False) -> str:
    """A Go string literal for `text`; bytes that are not UTF-8 become ``\\xff``."""
    if ascii_only:
        if _ASCII_PLAIN.fullmatch(text):
            return f'"{text}"'
    elif text.isprintable() and _PLAIN.fullmatch(text):
        return f'"{text}"'
    return '"' + "".join([_escape(char, '"', ascii_only) for char in text]) + '"'


def quote_rune(char: str, ascii_only: bool = False) -> str:
    """A Go character literal for `char`."""
    return f"'{_escape(char, chr(39), ascii_only)}'"


def can_backquote(text: str) -> bool:
    """Whether `text` can stand unchanged in a raw Go string."""
    return not any(
        (char < " " and char != "\t") or char in "`\x7f\ufeff" or is_surrogate(char)
        for char in text
    )


def _escape(char: str, mark: str, ascii_only: bool) -> str:
    if char in (mark, "\\"):
        return "\\" + char
    if char.isprintable() and (char < "\x7f" or not ascii_only):
        return char
    return _NAMED_ESCAPES.get(char) or _numbered_escape(ord(char))


def _numbered_escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that surrogateescape kept
        return f"\\x{code - 0xDC00:02x}"
    if 0xD800 <= code <= 0xDFFF:
        return r"\ufffd"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def format_float(value: float, verb: str, precision: int | None) -> str:
    """`value` as `strconv.FormatFloat` spells it; no precision means as many digits as needed.

    `verb` is one of ``b e E f g G x X``. Only `g` and `G` have a shortest form.
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if verb == "b":
        return _binary_float(value)
    if verb in "xX":
        return _hex_float(value, verb, precision)
    if precision is None:
        return _shortest_float(value, verb)
    return format(value, f".{precision}{verb}")


def _shortest_float(value: float, verb: str) -> str:
    """The fewest digits that read back as `value`; an exponent from 1e+06 and below 1e-04."""
    text = repr(value)
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        return text.removesuffix(".0")
    digits, _, exponent = text.partition("e")
    whole, _, fraction = digits.lstrip("-").partition(".")
    significant = (whole + fraction).rstrip("0")
    point = "." if len(significant) > 1 else ""
    letter = "E" if verb == "G" else "e"
    power = int(exponent or 0) + len(whole) - 1
    return f"{_sign(value)}{significant[0]}{point}{significant[1:]}{letter}{power:+03d}"


def _binary_float(value: float) -> str:
    mantissa, exponent = _split(value)
    return f"{_sign(value)}{mantissa}p{exponent - _MANTISSA_BITS:+d}"


def _hex_float(value: float, verb: str, precision: int | None) -> str:
    mantissa, exponent = _split(value)
    if mantissa == 0:
        exponent = 0
    mantissa <<= 60 - _MANTISSA_BITS
    while mantissa and not mantissa & _LEADING_ONE:
        mantissa <<= 1
        exponent -= 1
    if precision is not None and precision < 15:
        mantissa, exponent = _round_hex(mantissa, exponent, precision * 4)
    fraction = f"{mantissa & (_LEADING_ONE - 1):015x}"
    fraction = (
        fraction.rstrip("0") if precision is None else fraction[:precision].ljust(precision, "0")
    )
    text = f"0x{mantissa >> 60 & 1}{'.' if fraction else ''}{fraction}p{exponent:+03d}"
    return _sign(value) + (text.upper() if verb == "X" else text)


def _round_hex(mantissa: int, exponent: int, bits: int) -> tuple[int, int]:
    """Round to `bits` after the leading bit, halves to even."""
    dropped = (mantissa << bits) & (_LEADING_ONE - 1)
    mantissa >>= 60 - bits
    if dropped | (mantissa & 1) > 1 << 59:
        mantissa += 1
    mantissa <<= 60 - bits
    if mantissa & (1 << 61):
        return mantissa >> 1, exponent + 1
    return mantissa, exponent


def _split(value: float) -> tuple[int, int]:
    """The IEEE 754 mantissa as an integer of 53 bits, and the unbiased exponent of its first."""
    fraction, exponent = math.frexp(abs(value))
    exponent = max(exponent - 1, -1022)
    if fraction == 0:
        exponent = -1022
    return int(math.ldexp(abs(value), _MANTISSA_BITS - exponent)), exponent


def _sign(value: float) -> str:
    return "-" if math.copysign(1, value) < 0 else ""
