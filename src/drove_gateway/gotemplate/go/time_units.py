"""Go's `time.Duration`, `time.Month` and `time.Weekday`: numbers that print as what they mean.

`__go_name__` is what `%T` and error messages call a type.
"""

# ruff: noqa: N802

from typing import Annotated, ClassVar, Final, TypeAlias

from drove_gateway.gotemplate.go.time_layout import MONTHS, WEEKDAYS

SECOND: Final = 1_000_000_000
_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE
_INT64_MAX: Final = 2**63 - 1
_UNITS: Final = ((1_000_000, "ms"), (1_000, "µs"), (1, "ns"))

Int64: TypeAlias = Annotated[int, "int64"]


class Month(int):
    """`time.Month`: prints its English name, `%d` its number."""

    __go_name__: ClassVar = "time.Month"

    def String(self) -> str:
        return MONTHS[self - 1] if 1 <= self <= 12 else f"%!Month({int(self)})"


class Weekday(int):
    """`time.Weekday`, from Sunday, 0."""

    __go_name__: ClassVar = "time.Weekday"

    def String(self) -> str:
        return WEEKDAYS[self] if 0 <= self <= 6 else f"%!Weekday({int(self)})"


class Duration(int):
    """`time.Duration`: nanoseconds, printed like `1h2m3.5s`."""

    __go_name__: ClassVar = "time.Duration"

    @classmethod
    def within_range(cls, nanoseconds: int) -> "Duration":
        """A duration, at most as long as Go's are."""
        return cls(max(-_INT64_MAX - 1, min(_INT64_MAX, nanoseconds)))

    def String(self) -> str:
        sign, amount = "-" if self < 0 else "", abs(self)
        if amount == 0:
            return "0s"
        if amount < SECOND:
            size, unit = next(known for known in _UNITS if amount >= known[0])
            return f"{sign}{_decimal(amount, size)}{unit}"
        minutes, rest = divmod(amount, _MINUTE)
        text = f"{_decimal(rest, SECOND)}s"
        if minutes:
            text = f"{minutes % 60}m{text}"
        if minutes >= 60:
            text = f"{minutes // 60}h{text}"
        return sign + text

    def Nanoseconds(self) -> Int64:
        return int(self)

    def Microseconds(self) -> Int64:
        return _quotient(self, 1_000)

    def Milliseconds(self) -> Int64:
        return _quotient(self, 1_000_000)

    def Seconds(self) -> float:
        return _ratio(self, SECOND)

    def Minutes(self) -> float:
        return _ratio(self, _MINUTE)

    def Hours(self) -> float:
        return _ratio(self, _HOUR)

    def Abs(self) -> "Duration":
        return self.within_range(abs(self))

    def Truncate(self, m: "Duration") -> "Duration":
        return Duration(_quotient(self, m) * m) if m > 0 else self

    def Round(self, m: "Duration") -> "Duration":
        """Halves are rounded away from zero."""
        if m <= 0:
            return self
        rounded = (2 * abs(self) + m) // (2 * m) * m
        return self.within_range(-rounded if self < 0 else rounded)


def _decimal(amount: int, unit: int) -> str:
    whole, rest = divmod(amount, unit)
    digits = f"{rest:0{len(str(unit)) - 1}d}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)


def _quotient(amount: int, unit: int) -> int:
    """Go's integer division: towards zero."""
    return -(-amount // unit) if amount < 0 else amount // unit


def _ratio(amount: int, unit: int) -> float:
    whole = _quotient(amount, unit)
    return whole + (amount - whole * unit) / unit
