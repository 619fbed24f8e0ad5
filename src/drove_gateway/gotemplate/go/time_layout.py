"""Go's time layouts: `2006-01-02 15:04:05.000 -07:00` says how a time is written."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS: Final = (
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
)

# In the order in which Go's nextStdChunk looks for them.
_ELEMENT: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|0[1-6]|002|15|1|2006|2|__2|_2(?!006)|3|4|5"
    r"|PM|pm|[-Z]070000|[-Z]07:00:00|[-Z]0700|[-Z]07:00|[-Z]07|[.,](?:0+|9+)(?![0-9])"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A moment as a calendar and a clock show it in a time zone.

    `weekday` counts from Sunday, 0. `offset` is in seconds east of UTC. A `zone` without an
    abbreviation is empty.
    """

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    nanosecond: int
    weekday: int
    year_day: int
    zone: str
    offset: int


def format_time(clock: Clock, layout: str) -> str:
    """`clock` written the way the layout writes Go's reference time."""
    return _ELEMENT.sub(lambda match: _element(clock, match[0]), layout)


def _element(clock: Clock, element: str) -> str:
    simple = _ELEMENTS.get(element)
    if simple is not None:
        return simple(clock)
    if element[0] in ".,":
        return _fraction(clock.nanosecond, element)
    return "Z" if element[0] == "Z" and clock.offset == 0 else _offset(clock.offset, element[1:])


_ELEMENTS: Final[Mapping[str, Callable[[Clock], str]]] = {
    "2006": lambda clock: f"{clock.year:04d}",
    "06": lambda clock: f"{clock.year % 100:02d}",
    "January": lambda clock: MONTHS[clock.month - 1],
    "Jan": lambda clock: MONTHS[clock.month - 1][:3],
    "01": lambda clock: f"{clock.month:02d}",
    "1": lambda clock: f"{clock.month}",
    "Monday": lambda clock: WEEKDAYS[clock.weekday],
    "Mon": lambda clock: WEEKDAYS[clock.weekday][:3],
    "02": lambda clock: f"{clock.day:02d}",
    "_2": lambda clock: f"{clock.day:2d}",
    "2": lambda clock: f"{clock.day}",
    "002": lambda clock: f"{clock.year_day:03d}",
    "__2": lambda clock: f"{clock.year_day:3d}",
    "15": lambda clock: f"{clock.hour:02d}",
    "03": lambda clock: f"{_twelve(clock.hour):02d}",
    "3": lambda clock: f"{_twelve(clock.hour)}",
    "04": lambda clock: f"{clock.minute:02d}",
    "4": lambda clock: f"{clock.minute}",
    "05": lambda clock: f"{clock.second:02d}",
    "5": lambda clock: f"{clock.second}",
    "PM": lambda clock: "PM" if clock.hour >= 12 else "AM",
    "pm": lambda clock: "pm" if clock.hour >= 12 else "am",
    "MST": lambda clock: clock.zone or _offset(clock.offset, "0700"),
}


def _twelve(hour: int) -> int:
    return hour % 12 or 12


def _fraction(nanosecond: int, element: str) -> str:
    """`.000` keeps its zeros, `.999` drops those at the end."""
    digits = f"{nanosecond:09d}"[: len(element) - 1]
    if element[1] == "0":
        return element[0] + digits
    kept = digits.rstrip("0")
    return element[0] + kept if kept else ""


def _offset(seconds: int, shape: str) -> str:
    """An offset from UTC in the shape of `07`, `0700`, `07:00`, `070000` or `07:00:00`."""
    sign = "-" if seconds <= -60 else "+"
    minutes, rest = divmod(abs(seconds), 60)
    parts = [f"{minutes // 60:02d}", f"{minutes % 60:02d}", f"{rest:02d}"]
    wanted = {2: 1, 4: 2, 5: 2}.get(len(shape), 3)
    return sign + (":" if ":" in shape else "").join(parts[:wanted])
