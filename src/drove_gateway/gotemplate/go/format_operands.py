"""How Go's `fmt` writes a basic operand under a verb: numbers, text, truth values.

Each function returns None where the verb does not fit the operand.
"""

from dataclasses import replace
from typing import Final

from drove_gateway.gotemplate.go import strconv
from drove_gateway.gotemplate.go.format_directives import Spec
from drove_gateway.gotemplate.go.values import encode

_BASES: Final = {"d": 10, "v": 10, "b": 2, "o": 8, "O": 8, "x": 16, "X": 16}
_CONVERSIONS: Final = {2: "b", 8: "o", 10: "d", 16: "x"}
_FLOAT_VERBS: Final = "vbgGxXfFeE"
_UINT64: Final = 1 << 64


def pad(text: str, spec: Spec, *, zeros: bool = True) -> str:
    """`text`, filled up to the width with blanks, or with zeros on the left under the flag `0`."""
    missing = spec.width - len(text)
    if missing <= 0:
        return text
    if spec.minus:
        return text + " " * missing
    return ("0" if zeros and spec.zero else " ") * missing + text


def boolean(value: bool, verb: str, spec: Spec) -> str | None:
    """`%t` and `%v`."""
    return pad("true" if value else "false", spec) if verb in "tv" else None


def integer(value: int, verb: str, spec: Spec, *, signed: bool = True) -> str | None:
    """`%v %d %b %o %O %x %X %c %q %U`."""
    if verb == "v" and spec.sharp_v and not signed:
        return _integer(value, 16, "v", replace(spec, sharp=True))
    if verb in _BASES:
        return _integer(value, _BASES[verb], verb, spec)
    if verb == "c":
        return pad(strconv.rune(value), spec)
    if verb == "q":
        return pad(strconv.quote_rune(strconv.rune(value), spec.plus), spec)
    return _unicode(value % _UINT64, spec) if verb == "U" else None


def _integer(value: int, base: int, verb: str, spec: Spec) -> str:
    if spec.precision == 0 and value == 0:
        return " " * spec.width
    digits = format(abs(value), _CONVERSIONS[base]).rjust(_minimum_digits(value, spec), "0")
    if spec.sharp:
        digits = _with_prefix(digits, base)
    if verb == "O":
        digits = "0o" + digits
    if verb == "X":
        digits = digits.upper()
    sign = "-" if value < 0 else "+" if spec.plus else " " if spec.space else ""
    return pad(sign + digits, spec, zeros=False)


def _minimum_digits(value: int, spec: Spec) -> int:
    if spec.precision is not None:
        return spec.precision
    if not spec.zero or spec.minus:
        return 0
    return spec.width - (value < 0 or spec.plus or spec.space)


def _with_prefix(digits: str, base: int) -> str:
    if base == 8:
        return digits if digits.startswith("0") else "0" + digits
    return {2: "0b", 16: "0x"}.get(base, "") + digits


def _unicode(code: int, spec: Spec) -> str:
    text = f"U+{code:0{max(spec.precision or 0, 4)}X}"
    if spec.sharp and code <= strconv.MAX_RUNE and chr(code).isprintable():
        text += f" '{chr(code)}'"
    return pad(text, spec, zeros=False)


def floating(value: float, verb: str, spec: Spec) -> str | None:
    """`%v %b %g %G %x %X %f %F %e %E`."""
    if verb not in _FLOAT_VERBS:
        return None
    conversion = {"v": "g", "F": "f"}.get(verb, verb)
    precision = spec.precision
    if precision is None and conversion in "feE":
        precision = 6
    number = strconv.format_float(value, conversion, precision)
    if number[0] not in "+-":
        number = "+" + number
    if number[0] == "+" and spec.space and not spec.plus:
        number = " " + number[1:]
    if number[1] in "IN":
        return _not_finite(number, spec)
    if spec.sharp and conversion != "b":
        number = _keep_zeros(number, conversion, precision)
    if number[0] == "+" and not spec.plus:
        return pad(number[1:], spec)
    if spec.zero and not spec.minus:
        return number[0] + number[1:].rjust(spec.width - 1, "0")
    return pad(number, spec)


def _not_finite(number: str, spec: Spec) -> str:
    """Infinities and NaN: never filled up with zeros, and no sign for NaN unless requested."""
    if number[1] == "N" and not (spec.space or spec.plus):
        number = number[1:]
    return pad(number, spec, zeros=False)


def _keep_zeros(number: str, conversion: str, precision: int | None) -> str:
    """The flag `#`: always a decimal point, and no trailing zeros removed."""
    wanted = 0
    if conversion in "gGx":
        wanted = 6 if precision is None else precision
    mark = "pP" if conversion in "xX" else "eE"
    end = next((at for at, char in enumerate(number) if char in mark), len(number))
    digits, tail = number[:end], number[end:]
    wanted -= len(digits[1:].replace(".", "").lstrip("0"))
    if "." not in digits:
        if digits[1:] == "0":
            wanted -= 1
        digits += "."
    return digits + "0" * wanted + tail


def complex_number(value: complex, verb: str, spec: Spec) -> str | None:
    """The verbs of floats, for both parts; the imaginary part always has a sign."""
    real = floating(value.real, verb, spec)
    imaginary = floating(value.imag, verb, replace(spec, plus=True))
    return None if real is None or imaginary is None else f"({real}{imaginary}i)"


def string(value: str, verb: str, spec: Spec) -> str | None:
    """`%v %s %x %X %q`."""
    if verb == "q" or (verb == "v" and spec.sharp_v):
        return _quoted(truncated(value, spec), spec)
    if verb in "vs":
        return pad(truncated(value, spec), spec)
    return hexadecimal(encode(value), verb, spec) if verb in "xX" else None


def truncated(value: str, spec: Spec) -> str:
    """At most as many characters as the precision says."""
    return value if spec.precision is None else value[: spec.precision]


def _quoted(value: str, spec: Spec) -> str:
    if spec.sharp and strconv.can_backquote(value):
        return pad(f"`{value}`", spec)
    return pad(strconv.quote(value, spec.plus), spec)


def hexadecimal(data: bytes, verb: str, spec: Spec) -> str:
    """The bytes as hexadecimal digits; `' '` puts blanks between them, `#` a leading 0x."""
    data = data[: spec.precision]
    separator = " 0x" if spec.sharp else " "
    text = data.hex(separator[0]) if spec.space else data.hex()
    if spec.space and spec.sharp:
        text = text.replace(" ", separator)
    if spec.sharp and data:
        text = "0x" + text
    return pad(text.upper() if verb == "X" else text, spec)
