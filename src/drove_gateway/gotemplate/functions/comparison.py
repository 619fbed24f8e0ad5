"""`eq`, `ne`, `lt`, `le`, `gt` and `ge`, with Go's notion of what can be compared with what."""

import operator
from collections.abc import Callable
from typing import Any, Final

from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.go.format import sprintf
from drove_gateway.gotemplate.go.types import GoType, Kind
from drove_gateway.gotemplate.go.values import (
    MISSING,
    Typed,
    encode,
    field_types,
    raw,
    type_of,
)

_BASIC: Final = frozenset({Kind.BOOL, Kind.INT, Kind.UINT, Kind.FLOAT, Kind.COMPLEX, Kind.STRING})
_INTEGERS: Final = frozenset({Kind.INT, Kind.UINT})
_UNCOMPARABLE: Final = frozenset({Kind.SLICE, Kind.MAP, Kind.FUNC})


def eq(first: object, *others: object) -> bool:
    """Whether `first` equals any of the others. Raises `FunctionError`."""
    if not others:
        raise FunctionError("missing argument for comparison")
    return any(_equal(first, other) for other in others)


def ne(first: object, second: object) -> bool:
    """Raises `FunctionError` for what cannot be compared, as all of these do."""
    return not _equal(first, second)


def lt(first: object, second: object) -> bool:
    """Strings compare by their bytes."""
    return _less(first, second)


def le(first: object, second: object) -> bool:
    """Less or equal."""
    return _less(first, second) or _equal(first, second)


def gt(first: object, second: object) -> bool:
    """The inverse of `le`, which for NaN is true."""
    return not le(first, second)


def ge(first: object, second: object) -> bool:
    """The inverse of `lt`."""
    return not _less(first, second)


def _basic_kind(value: object) -> Kind | None:
    kind = None if _is_invalid(value) else type_of(value).kind
    return kind if kind in _BASIC else None


def _is_invalid(value: object) -> bool:
    return value is None or value is MISSING


def _equal(first: object, second: object) -> bool:
    kind, other = _basic_kind(first), _basic_kind(second)
    if kind is not None and (kind is other or {kind, other} == _INTEGERS):
        return bool(raw(first) == raw(second))
    if kind is not other:
        if _is_invalid(first) or _is_invalid(second):
            return False
        raise FunctionError("incompatible types for comparison")
    return _equal_composites(first, second)


def _equal_composites(first: object, second: object) -> bool:
    if _is_invalid(first) or _is_invalid(second):
        return _is_nil(first) == _is_nil(second)
    found, other = type_of(first), type_of(second)
    if found.kind is not other.kind:
        message = f"non-comparable types %s: {found.name}, {other.name}: %v"
        raise FunctionError(sprintf(message, [first, second]))
    if _is_nil(first) or _is_nil(second):
        return _is_nil(first) == _is_nil(second)
    if not _comparable(other):
        raise FunctionError(sprintf(f"non-comparable type %s: {other.name}", [second]))
    return found == other and raw(first) == raw(second)


def _is_nil(value: object) -> bool:
    if _is_invalid(value):
        return True
    return type(value) is Typed and value.value is None and value.type.kind is not Kind.STRUCT


def _comparable(of: GoType) -> bool:
    if of.kind is Kind.STRUCT and of.cls is not None:
        return all(_comparable(kind) for _, kind in field_types(of.cls).values())
    return of.kind not in _UNCOMPARABLE


def _less(first: object, second: object) -> bool:
    kind, other = _basic_kind(first), _basic_kind(second)
    if kind is None or other is None:
        raise FunctionError("invalid type for comparison")
    if kind is not other and {kind, other} != _INTEGERS:
        raise FunctionError("incompatible types for comparison")
    if kind in {Kind.BOOL, Kind.COMPLEX}:
        raise FunctionError("invalid type for comparison")
    less: Callable[[Any, Any], bool] = operator.lt
    left, right = raw(first), raw(second)
    if isinstance(left, str) and isinstance(right, str):
        return left < right if left.isascii() and right.isascii() else encode(left) < encode(right)
    return less(left, right)
