"""What a Python value is in Go, and how to look into it.

| Python | Go |
|---|---|
| `None` | nil (of type `interface {}`) |
| `bool`, `int`, `float`, `complex`, `str` | `bool`, `int`, `float64`, `complex128`, `string` |
| `bytes` | `[]uint8` |
| `list`, `tuple` | `[]interface {}` |
| `dict` and other mappings | `map[string]interface {}` |
| `StringMap` | `map[string]string` |
| `NamedTuple`s, dataclasses, msgspec structs, attrs classes, other objects | structs |

Where a type hint says more than that, the value travels as `Typed(value, type)`: a value with its
Go type. `MISSING` is the result of looking up what is not there (an invalid `reflect.Value`).
Text is `str`; bytes that are not UTF-8 are surrogate-escaped. Go counts in bytes: see `encode`.
"""

import re
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final

from drove_gateway.gotemplate.go.structs import field_types, struct_fields
from drove_gateway.gotemplate.go.types import (
    ANY,
    ANY_MAP,
    ANY_SLICE,
    BOOL,
    BYTE_SLICE,
    COMPLEX128,
    FLOAT64,
    FUNC,
    INT,
    STRING,
    STRING_MAP,
    UINT64,
    GoType,
    Kind,
    StringMap,
    is_named_number,
    is_struct_class,
    map_of,
    number_of,
    struct_of,
    type_from_hint,
)

__all__ = [
    "MISSING",
    "Missing",
    "StringMap",
    "Typed",
    "box",
    "decode",
    "elements",
    "encode",
    "entries",
    "field",
    "field_types",
    "fields",
    "length",
    "method",
    "raw",
    "struct_fields",
    "type_of",
    "zero",
]

_2_63: Final = 2**63


class Missing:
    """The type of `MISSING`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class Typed:
    """A value with another Go type than that of its Python class.

    `value` is `None` for a nil map, a nil slice and the zero value of a struct.
    """

    __slots__ = ("type", "value")

    def __init__(self, value: object, type: GoType) -> None:  # noqa: A002
        self.value = value
        self.type = type

    def __repr__(self) -> str:
        return f"Typed({self.value!r}, {self.type.name})"


# Not part of any Go string: half a character that is not a byte kept by surrogateescape either.
_LONE_SURROGATE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")


def encode(text: str) -> bytes:
    """The bytes that Go sees in a string."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return _LONE_SURROGATE.sub("\ufffd", text).encode("utf-8", "surrogateescape")


def decode(data: bytes) -> str:
    """The string that holds these bytes: the inverse of `encode`."""
    return data.decode("utf-8", "surrogateescape")


def raw(value: object) -> object:
    """The plain Python value; empty containers for nil maps and nil slices."""
    if type(value) is not Typed:
        return value
    if value.value is None:
        empty: Mapping[Kind, object] = {Kind.MAP: {}, Kind.SLICE: []}
        return empty.get(value.type.kind)
    return value.value


_EXACT: Final[Mapping[type, GoType]] = {
    str: STRING,
    bool: BOOL,
    float: FLOAT64,
    complex: COMPLEX128,
    list: ANY_SLICE,
    tuple: ANY_SLICE,
    StringMap: STRING_MAP,
    bytes: BYTE_SLICE,
    bytearray: BYTE_SLICE,
    type(None): ANY,
}


def type_of(value: object) -> GoType:
    """The Go type of a value (`interface {}` for `None`). Not for `MISSING`, which has none."""
    if type(value) is Typed:
        return value.type
    exact = _EXACT.get(type(value))
    if exact is not None:
        return exact
    return INT if type(value) is int and -_2_63 <= value < _2_63 else _derived_type(value)


def _derived_type(value: object) -> GoType:
    if isinstance(value, int):
        return _integer_type(value)
    if isinstance(value, Mapping):
        return STRING_MAP if isinstance(value, StringMap) else _mapping_type(value)
    cls: Any = type(value)
    if is_struct_class(cls):
        is_function = callable(value) and not struct_fields(cls)
        return FUNC if is_function else struct_of(cls)
    if isinstance(value, AbstractSet):
        return ANY_SLICE
    return FUNC if callable(value) else type_from_hint(cls)


def _integer_type(value: int) -> GoType:
    cls: Any = type(value)
    if is_named_number(cls):
        return number_of(cls)
    if isinstance(value, bool):
        return BOOL
    return UINT64 if _2_63 <= value < 2 * _2_63 else INT


def _mapping_type(value: Mapping[object, object]) -> GoType:
    for key in value:
        if isinstance(key, str):
            return ANY_MAP
        return map_of(type_of(key), ANY) if isinstance(key, int | float) else map_of(ANY, ANY)
    return ANY_MAP


def box(value: object, declared: GoType) -> object:
    """A value that was read from a place of a declared type, with that type.

    Where the value contradicts the declaration, the value decides.
    """
    kind = declared.kind
    if type(value) is declared.python or kind is Kind.INTERFACE or type(value) is Typed:
        return value
    if value is None:
        nilable = kind in {Kind.SLICE, Kind.MAP}
        return Typed(None, declared) if nilable else None
    natural = type_of(value)
    if natural == declared:
        return value
    if kind is Kind.FLOAT and natural.kind is Kind.INT and isinstance(value, int):
        value = float(value)
        return value if declared == FLOAT64 else Typed(value, declared)
    integers = {Kind.INT, Kind.UINT}
    if natural.kind is kind or (natural.kind in integers and kind in integers):
        return value if kind is Kind.STRUCT else Typed(value, declared)
    return value


def zero(declared: GoType) -> object:
    """Go's zero value of a type."""
    scalars: Mapping[Kind, object] = {
        Kind.BOOL: False,
        Kind.INT: 0,
        Kind.UINT: 0,
        Kind.FLOAT: 0.0,
        Kind.COMPLEX: 0j,
        Kind.STRING: "",
    }
    if declared.kind in scalars:
        return box(scalars[declared.kind], declared)
    return None if declared.kind in {Kind.INTERFACE, Kind.FUNC} else Typed(None, declared)


def length(value: object) -> int:
    """The length of a string (in bytes), slice or map."""
    plain = raw(value)
    if isinstance(plain, str):
        return len(plain) if plain.isascii() else len(encode(plain))
    return len(typing.cast("Sequence[object]", plain))


def elements(value: object) -> Sequence[object]:
    """The elements of a slice, each with its Go type."""
    plain = typing.cast("Iterable[object]", raw(value))
    items = _in_order(plain) if isinstance(plain, AbstractSet) else list(plain)
    elem = type_of(value).item
    return items if elem.kind is Kind.INTERFACE else [box(item, elem) for item in items]


def entries(value: object) -> Sequence[tuple[object, object]]:
    """Keys and values of a map, each with its Go type, in the order in which Go ranges."""
    plain = typing.cast("Mapping[object, object]", raw(value))
    elem = type_of(value).item
    return [(key, box(plain[key], elem)) for key in sorted_keys(plain)]


def sorted_keys(mapping: Iterable[object]) -> list[object]:
    """A map's keys as Go orders them: strings by their bytes, numbers by value, false first."""
    return _in_order(mapping)


def _in_order(items: Iterable[object]) -> list[object]:
    found = list(items)
    if all(type(item) is str and item.isascii() for item in found):
        return sorted(typing.cast("list[str]", found))  # type: ignore[return-value]
    return sorted(found, key=_order)


def _order(item: object) -> tuple[int, object]:
    """Go compares keys of different types by their types' addresses: any fixed order will do."""
    plain = raw(item)
    if isinstance(plain, str):
        return 2, encode(plain)
    if isinstance(plain, bool | int | float):
        return 1, plain
    return 3 if plain is not None else 0, repr(plain)


def fields(value: object) -> Sequence[tuple[str, object]]:
    """Name and value of each field of a struct, in order, each with its Go type."""
    declared = field_types(_class_of(value))
    if type(value) is Typed:  # the zero value of a struct
        return [(name, zero(kind)) for name, (_, kind) in declared.items()]
    own = [
        (name, box(getattr(value, attr), kind))
        for name, (attr, kind) in declared.items()
        if hasattr(value, attr)
    ]
    return own + [(name, extra) for name, extra in _extras(value) if name not in declared]


def _class_of(value: object) -> type:
    if type(value) is Typed and value.type.kind is Kind.STRUCT and value.type.cls is not None:
        return value.type.cls
    return type(value)


def _extras(value: object) -> Iterable[tuple[str, object]]:
    """Public instance attributes of plain objects, which no class declares."""
    if hasattr(type(value), "__dataclass_fields__") or hasattr(type(value), "__attrs_attrs__"):
        return []
    found: Mapping[str, object] = getattr(value, "__dict__", {})
    return [(n, v) for n, v in found.items() if not n.startswith("_") and not callable(v)]


def field(value: object, name: str) -> object:
    """One field of a struct, with its Go type; `MISSING` if the struct has no such field."""
    known = field_types(_class_of(value)).get(name)
    if type(value) is Typed:
        return zero(known[1]) if known else MISSING
    if known:
        return box(getattr(value, known[0], None), known[1])
    return dict(_extras(value)).get(name, MISSING)


def method(value: object, name: str) -> Callable[..., object] | None:
    """The public method of a struct or named number, bound; `None` if it has none of that name."""
    cls = _class_of(value)
    if name.startswith("_") or type(value) is Typed:
        return None
    if not (is_struct_class(cls) or (is_named_number(cls) and name in vars(cls))):
        return None
    if name in field_types(cls):
        return None
    found = getattr(value, name, None)
    return found if callable(found) and not isinstance(found, type) else None
