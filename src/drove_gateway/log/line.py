"""What a kind of log line is made of."""

from typing import Literal, get_args

import msgspec

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)


class Line(msgspec.Struct, frozen=True):
    """What all lines of a kind share. `fields` are all that a line may have; some may be absent."""

    level: Level
    message: str
    fields: tuple[str, ...]


def debug(message: str, *fields: str) -> Line:
    """Return a kind of line at this level; so do the functions below."""
    return Line("debug", message, fields)


def info(message: str, *fields: str) -> Line:
    return Line("info", message, fields)


def warning(message: str, *fields: str) -> Line:
    return Line("warning", message, fields)


def error(message: str, *fields: str) -> Line:
    return Line("error", message, fields)
