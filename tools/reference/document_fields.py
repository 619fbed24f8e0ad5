"""Tables of the fields of a JSON document, from its type."""

import types
import typing
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from tools.reference.markdown import table

_WORDS: Mapping[object, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime: "time",
    types.NoneType: "null",
    Any: "any",
}


class _Field(NamedTuple):
    name: str
    type: Any
    meaning: str


def field_tables(document: type[msgspec.Struct]) -> str:
    """A table of the fields of `document`, then of each documented struct inside it.

    Structs without descriptions are described by the field that contains them.
    """
    parts = []
    for struct, paths in _documented_structs(document).items():
        if heading := ", ".join(f"`{path}`" for path in paths if path):
            parts.append(f"{heading}: {_first_line(struct)}\n")
        parts.append(_table(struct))
    return "\n".join(parts)


def _documented_structs(
    document: type[msgspec.Struct],
) -> Mapping[type[msgspec.Struct], list[str]]:
    """The documented structs of a document, itself first, with all paths at which each occurs."""
    paths: dict[type[msgspec.Struct], list[str]] = {document: [""]}
    for path, struct in _nested(document, ""):
        paths.setdefault(struct, []).append(path)
    return paths


def _first_line(struct: type[msgspec.Struct]) -> str:
    return (struct.__doc__ or "").strip().splitlines()[0]


def _table(struct: type[msgspec.Struct]) -> str:
    rows = [
        (f"`{field.name}`", type_in_words(field.type), field.meaning) for field in _fields(struct)
    ]
    return table(("Key", "Type", "Meaning"), rows)


def _fields(struct: type[msgspec.Struct]) -> Iterator[_Field]:
    hints = typing.get_type_hints(struct, include_extras=True)
    for field in msgspec.structs.fields(struct):
        hint = hints[field.name]
        metadata = [each for each in getattr(hint, "__metadata__", ()) if each.description]
        if metadata:
            yield _Field(field.encode_name, hint.__origin__, metadata[0].description)


def _nested(struct: type[msgspec.Struct], path: str) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    for field in _fields(struct):
        for suffix, inner in _structs_in(field.type, ""):
            if list(_fields(inner)):
                where = f"{path}{field.name}{suffix}"
                yield where, inner
                yield from _nested(inner, f"{where}.")


def _structs_in(kind: Any, suffix: str) -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """The structs in a type, and how they are reached: `[]` in a list, `.NAME` in an object."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield suffix, kind
        return
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    suffix += "[]" if origin is tuple else ".NAME" if _is_mapping(origin) else ""
    for argument in arguments:
        yield from _structs_in(argument, suffix)


def type_in_words(kind: Any) -> str:
    """A type as JSON names it: "list of objects", "time or null"."""
    if kind in _WORDS:
        return _WORDS[kind]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return f"list of {type_in_words(arguments[0])}s"
    if origin in {types.UnionType, typing.Union}:
        return " or ".join(map(type_in_words, arguments))
    return "true" if origin is typing.Literal else "object"


def _is_mapping(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Mapping)
