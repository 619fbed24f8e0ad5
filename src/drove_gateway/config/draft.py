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
    line: int = 0


class Label(msgspec.Struct, frozen=True):
    """The name of a value in messages, and the line it is written on; 0 outside of the file."""

    text: str
    line: int = 0

    def __str__(self) -> str:
        return self.text


class Problem(msgspec.Struct, frozen=True):
    """Something that makes the configuration unusable: where it is, and a sentence about it."""

    label: Label
    text: str

    def __str__(self) -> str:
        return f"{self.label}: {self.text}"


class Draft(msgspec.Struct, frozen=True):
    """`source` is the file's name; `labels` name values that were written elsewhere or under
    another name, and `lines` the line of each value in the file; `problems` are what has been found
    unusable so far."""

    source: str
    values: Mapping[str, object]
    labels: Mapping[Location, Label] = {}
    lines: Mapping[Location, int] = {}
    notices: tuple[Notice, ...] = ()
    problems: tuple[Problem, ...] = ()

    def label(self, location: Location) -> Label:
        """Return place and name of a value: `nixy.toml:7: namespace "stage1": drove[1]`."""
        for length in range(len(location), 0, -1):
            if label := self.labels.get(location[:length]):
                return Label(label.text + _path(location[length:]), label.line)
        line = self._line(location)
        place = f"{self.source}:{line}" if line else self.source
        match location:
            case ("namespaces", int(index), *rest):
                path = f": {_path(tuple(rest))}" if rest else ""
                return Label(f"{place}: {self._namespace_name(index)}{path}", line)
        return Label(f"{place}: {_path(location)}", line)

    def warning(self, location: Location, text: str) -> Notice:
        """Return a warning about the value at `location`."""
        label = self.label(location)
        return Notice("warning", f"{label}: {text}", label.line)

    def noticed(self, *notices: Notice) -> "Draft":
        """Return the draft with these notices added."""
        return msgspec.structs.replace(self, notices=(*self.notices, *notices))

    def with_problem(self, problem: Problem) -> "Draft":
        """Return the draft with this problem added."""
        return msgspec.structs.replace(self, problems=(*self.problems, problem))

    def with_values(self, values: Mapping[str, object], *notices: Notice) -> "Draft":
        """Return the draft with these values, and these notices added."""
        return msgspec.structs.replace(self, values=values).noticed(*notices)

    def with_table(self, index: int, table: Mapping[str, object]) -> "Draft":
        """Return the draft with `table` in place of a `[[namespaces]]` table."""
        namespaces: list[Mapping[str, object]] = list(tables(self.values))
        namespaces[index] = table
        return self.with_values({**self.values, "namespaces": namespaces})

    def _line(self, location: Location) -> int:
        """Return the line of the value or of the table that should contain it; 0 if unknown."""
        for length in range(len(location), 0, -1):
            if line := self.lines.get(location[:length]):
                return line
        return 0

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
