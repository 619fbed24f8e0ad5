"""Go's types, as far as a template can tell them apart, and Python's hints read as such.

A type is a value: two types with the same name and the same class are equal. `name` is what Go's
``%T`` and Go's messages show (`map[string]interface {}`, `[]Host`, `int32`); a struct's name is
its class name.
"""

import enum
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any


class Kind(enum.Enum):
    """What Go's reflection calls a kind, sized kinds taken together."""

    BOOL = "bool"
    INT = "int"
    UINT = "uint"
    FLOAT = "float"
    COMPLEX = "complex"
    STRING = "string"
    SLICE = "slice"
    MAP = "map"
    STRUCT = "struct"
    INTERFACE = "interface"
    FUNC = "func"


@dataclass(frozen=True, slots=True)
class GoType:
    """One Go type. `elem` is set for slices and maps, `key` for maps, `cls` for structs.

    `python` is the class whose values have this type without further ado.
    """

    kind: Kind
    name: str
    elem: "GoType | None" = field(default=None, compare=False)
    key: "GoType | None" = field(default=None, compare=False)
    cls: type | None = None
    python: type | None = field(default=None, compare=False)

    @property
    def item(self) -> "GoType":
        """The element type of a slice or map."""
        return self.elem or ANY


ANY = GoType(Kind.INTERFACE, "interface {}")
BOOL = GoType(Kind.BOOL, "bool", python=bool)
INT = GoType(Kind.INT, "int", python=int)
UINT8 = GoType(Kind.UINT, "uint8")
INT32 = GoType(Kind.INT, "int32")
INT64 = GoType(Kind.INT, "int64")
UINT64 = GoType(Kind.UINT, "uint64")
FLOAT64 = GoType(Kind.FLOAT, "float64", python=float)
COMPLEX128 = GoType(Kind.COMPLEX, "complex128", python=complex)
STRING = GoType(Kind.STRING, "string", python=str)
FUNC = GoType(Kind.FUNC, "func()")

_NUMBERS: Mapping[str, GoType] = {
    **{f"int{n}": GoType(Kind.INT, f"int{n}") for n in ("", 8, 16, 32, 64)},
    **{f"uint{n}": GoType(Kind.UINT, f"uint{n}") for n in ("", 8, 16, 32, 64, "ptr")},
    **{f"float{n}": GoType(Kind.FLOAT, f"float{n}") for n in (32, 64)},
    **{f"complex{n}": GoType(Kind.COMPLEX, f"complex{n}") for n in (64, 128)},
}

_SCALARS: Mapping[type, GoType] = {
    bool: BOOL,
    int: INT,
    float: FLOAT64,
    complex: COMPLEX128,
    str: STRING,
}


@lru_cache(maxsize=1024)
def slice_of(elem: GoType) -> GoType:
    """`[]elem`."""
    return GoType(Kind.SLICE, f"[]{elem.name}", elem=elem, cls=elem.cls)


@lru_cache(maxsize=1024)
def map_of(key: GoType, elem: GoType) -> GoType:
    """`map[key]elem`."""
    return GoType(Kind.MAP, f"map[{key.name}]{elem.name}", elem=elem, key=key, cls=elem.cls)


@lru_cache(maxsize=1024)
def struct_of(cls: Any) -> GoType:
    """The struct type that a class stands for."""
    name = getattr(cls, "__go_name__", cls.__name__)
    return GoType(Kind.STRUCT, name, cls=cls, python=cls)


def is_named_number(cls: type) -> bool:
    """Whether a class is a number with a Go type of its own, as `time.Month` is an `int`."""
    return issubclass(cls, int) and hasattr(cls, "__go_name__")


@lru_cache(maxsize=1024)
def number_of(cls: Any) -> GoType:
    """The type that a named number stands for."""
    return GoType(Kind.INT, cls.__go_name__, cls=cls, python=cls)


ANY_SLICE = slice_of(ANY)
STRING_SLICE = slice_of(STRING)
BYTE_SLICE = slice_of(UINT8)
ANY_MAP = map_of(STRING, ANY)
STRING_MAP = map_of(STRING, STRING)


class StringMap(dict[str, str]):
    """A dict that a template sees as `map[string]string`: `index` of a missing key is ""."""


def is_named_tuple(cls: type) -> bool:
    """Whether a class was made by ``typing.NamedTuple`` or ``collections.namedtuple``."""
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


@lru_cache(maxsize=4096)
def is_struct_class(cls: Any) -> bool:
    """Whether values of a class are structs: neither scalars nor containers nor functions."""
    if is_named_tuple(cls):
        return True
    if issubclass(cls, bool | int | float | complex | str | bytes | bytearray | memoryview):
        return False
    if issubclass(cls, list | tuple | Mapping | AbstractSet | types.NoneType | type):
        return False
    return not (issubclass(cls, Callable) and not hasattr(cls, "__dict__"))  # type: ignore[arg-type]


def type_from_hint(hint: object) -> GoType:
    """The Go type that a type hint says; `interface {}` where it says nothing a template knows.

    ``Annotated[int, "int32"]`` names a sized number. ``X | None`` is X where Go's X may be nil
    (maps and slices) and `interface {}` otherwise.
    """
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return _from_annotated(typing.get_args(hint))
    if origin in {typing.Union, types.UnionType}:
        return _from_union(typing.get_args(hint))
    if origin is typing.Literal:
        kinds = {type(value) for value in typing.get_args(hint)}
        return _SCALARS.get(kinds.pop(), ANY) if len(kinds) == 1 else ANY
    if isinstance(hint, typing.NewType):
        return type_from_hint(hint.__supertype__)
    if hasattr(hint, "__value__"):  # an alias made with Python 3.12's type statement
        return type_from_hint(hint.__value__)
    cls = origin or hint
    return _from_class(cls, typing.get_args(hint)) if isinstance(cls, type) else ANY


def _from_annotated(args: tuple[object, ...]) -> GoType:
    plain = type_from_hint(args[0])
    for note in args[1:]:
        number = _NUMBERS.get(note) if isinstance(note, str) else None
        if number is not None and plain.kind in {Kind.INT, Kind.FLOAT, Kind.COMPLEX}:
            return number
    return plain


def _from_union(args: tuple[object, ...]) -> GoType:
    rest = [arg for arg in args if arg is not types.NoneType]
    if len(rest) != 1:
        return ANY
    only = type_from_hint(rest[0])
    return only if only.kind in {Kind.SLICE, Kind.MAP} else ANY


def _from_class(cls: Any, args: tuple[object, ...]) -> GoType:
    if is_named_number(cls):
        return number_of(cls)
    for scalar, found in _SCALARS.items():
        if issubclass(cls, scalar):
            return found
    if not is_named_tuple(cls) and issubclass(cls, Mapping | Sequence | bytearray):
        return _from_container(cls, args)
    plain = not is_struct_class(cls) or cls is object or cls.__module__ == "typing"
    return ANY if plain or issubclass(cls, Callable) else struct_of(cls)  # type: ignore[arg-type]


def _from_container(cls: type, args: tuple[object, ...]) -> GoType:
    if issubclass(cls, StringMap):
        return STRING_MAP
    if issubclass(cls, bytes | bytearray):
        return BYTE_SLICE
    if issubclass(cls, Mapping):
        key, elem = args if len(args) == 2 else (str, object)
        return map_of(type_from_hint(key), type_from_hint(elem))
    if issubclass(cls, tuple) and not (len(args) == 2 and args[1] is Ellipsis):
        return ANY_SLICE
    return slice_of(type_from_hint(args[0])) if args else ANY_SLICE
