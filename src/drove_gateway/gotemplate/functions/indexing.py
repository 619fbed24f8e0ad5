"""`index`, `slice` and `len`. Go counts bytes in strings, so these do."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, cast

from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.go.types import UINT8, GoType, Kind
from drove_gateway.gotemplate.go.values import (
    MISSING,
    Typed,
    box,
    decode,
    encode,
    length,
    raw,
    type_of,
    zero,
)

_INTEGERS = frozenset({Kind.INT, Kind.UINT})
_SIZED = frozenset({Kind.STRING, Kind.SLICE, Kind.MAP})


def len_(item: object) -> int:
    """`len item`. Raises `FunctionError` for what has no length, as all of these do."""
    if item is None:
        raise FunctionError("len of nil pointer")
    if item is MISSING:
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    found = type_of(item)
    if found.kind not in _SIZED:
        raise FunctionError(f"len of type {found.name}")
    return length(item)


def index(item: object, *keys: object) -> object:
    """`index item 1 "key"…`: the zero value for a key that a map does not have."""
    if item is None or item is MISSING:
        raise FunctionError("index of untyped nil")
    for key in keys:
        if item is None:
            raise FunctionError("index of nil pointer")
        item = _index_once(item, key)
    return item


def _index_once(item: object, key: object) -> object:
    found = type_of(item)
    if found.kind is Kind.MAP:
        return _index_map(item, found, key)
    if found.kind not in {Kind.SLICE, Kind.STRING}:
        raise FunctionError(f"can't index item of type {found.name}")
    size = length(item)
    at = _position(key, size)
    if at == size:
        raise FunctionError(f"reflect: {found.kind.value} index out of range")
    if found.kind is Kind.STRING:
        return Typed(encode(cast("str", raw(item)))[at], UINT8)
    return box(cast("Sequence[object]", raw(item))[at], found.item)


def _position(key: object, limit: int) -> int:
    if key is None or key is MISSING:
        raise FunctionError("cannot index slice/array with nil")
    found = type_of(key)
    if found.kind not in _INTEGERS:
        raise FunctionError(f"cannot index slice/array with type {found.name}")
    at = cast("int", raw(key))
    if not 0 <= at <= limit:
        raise FunctionError(f"index out of range: {at}")
    return at


def _index_map(item: object, found: GoType, key: object) -> object:
    plain = prepare(key, found.key or found)
    entries = cast("Mapping[object, object]", raw(item))
    try:
        present = plain in entries
    except TypeError:
        name = type_of(key).name
        raise FunctionError(f"runtime error: hash of unhashable type {name}") from None
    return box(entries[plain], found.item) if present else zero(found.item)


def prepare(value: object, wanted: GoType) -> object:
    """A value as a map's key or a called function's argument, if its type fits."""
    if value is None or value is MISSING:
        if wanted.kind in {Kind.INTERFACE, Kind.MAP, Kind.SLICE, Kind.FUNC}:
            return None
        raise FunctionError(f"value is nil; should be of type {wanted.name}")
    found = type_of(value)
    integers = found.kind in _INTEGERS and wanted.kind in _INTEGERS
    if found != wanted and wanted.kind is not Kind.INTERFACE and not integers:
        raise FunctionError(f"value has type {found.name}; should be {wanted.name}")
    return raw(value)


def slice_(item: object, *bounds: object) -> object:
    """`slice item 1 2`: what Go writes as `item[1:2]`."""
    if item is None or item is MISSING:
        raise FunctionError("slice of untyped nil")
    if len(bounds) > 3:
        raise FunctionError(f"too many slice indexes: {len(bounds)}")
    found = type_of(item)
    if found.kind is Kind.STRING and len(bounds) == 3:
        raise FunctionError("cannot 3-index slice a string")
    if found.kind not in {Kind.STRING, Kind.SLICE}:
        raise FunctionError(f"can't slice item of type {found.name}")
    size = length(item)
    start, end, *_ = _bounds([_position(bound, size) for bound in bounds], size)
    plain = raw(item)
    if isinstance(plain, str):
        return decode(encode(plain)[start:end])
    part = cast("Any", plain)[start:end]
    return Typed(part, found) if type(item) is Typed else part


def _bounds(given: Sequence[int], size: int) -> Sequence[int]:
    found = [*given, *(0, size)[len(given) :]]
    for low, high in pairwise(found):
        if low > high:
            raise FunctionError(f"invalid slice index: {low} > {high}")
    return found
