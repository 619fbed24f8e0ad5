"""Values that are read but not yet validated, with the places where they were written."""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

Location: TypeAlias = tuple[str | int, ...]
"""The place of a value: ("port",), or ("namespaces", 0, "drove", 1)."""

_LONGEST_SHOWN = 60


class Notice(msgspec.Struct, frozen=True):
    """A line for the operator about a usable configuration.

    "error" means that a value was replaced, "warning" that something should be reviewed.
    """

    level: Literal["warning", "error"]
    text: str


class Draft(msgspec.Struct, frozen=True):
    """`source` is the file's name; `labels` name values that were written elsewhere or under
    another name, and `lines` the line of each value in the file; `problems` are what has been found
    unusable so far."""

    source: str
    values: Mapping[str, object]
    labels: Mapping[Location, str] = {}
    lines: Mapping[Location, int] = {}
    notices: tuple[Notice, ...] = ()
    problems: tuple[str, ...] = ()

    def label(self, location: Location) -> str:
        """Return place and name of a value: `nixy.toml:7: namespace "stage1": drove[1]`."""
        for length in range(len(location), 0, -1):
            if location[:length] in self.labels:
                return self.labels[location[:length]] + _path(location[length:])
        match location:
            case ("namespaces", int(index), *rest):
                namespace = self._namespace_name(index)
                path = f": {_path(tuple(rest))}" if rest else ""
                return f"{self._place(location)}: {namespace}{path}"
        return f"{self._place(location)}: {_path(location)}"

    def _place(self, location: Location) -> str:
        """Return the file, with the line of the value or of the table that should contain it."""
        for length in range(len(location), 0, -1):
            if line := self.lines.get(location[:length]):
                return f"{self.source}:{line}"
        return self.source

    def _namespace_name(self, index: int) -> str:
        table = tables(self.values)[index]
        name = table.get("name")
        return (
            f"namespace {quoted(name)}"
            if isinstance(name, str) and name
            else f"namespaces[{index}]"
        )


def tables(values: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the `[[namespaces]]` tables; none if the key holds something else."""
    found = values.get("namespaces")
    if isinstance(found, list) and all(isinstance(table, dict) for table in found):
        return found
    return []


def _path(location: Location) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{bare(part)}" for part in location)
    return "".join(parts).removeprefix(".")


def bare(key: str) -> str:
    """Return a key in TOML, in quotes only if necessary."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else quoted(key)


def quoted(text: str) -> str:
    """Text in quotes, on one line, shortened, with nothing that a terminal would act upon."""
    if len(text) > _LONGEST_SHOWN:
        text = text[:_LONGEST_SHOWN] + "…"
    escaped = (
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    return f'"{"".join(escaped)}"'


def shown(value: object) -> str:
    """A value as TOML would have it. What is in tables and lists stays hidden: it may be secret."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case list() | tuple():
            return "[…]" if value else "[]"
        case dict():
            return "{…}"
        case int() | float():
            return quoted(str(value)).strip('"')
    return str(value)
