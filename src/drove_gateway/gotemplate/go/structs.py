"""What fields a Python class has when a template sees it as a struct."""

import typing
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from drove_gateway.gotemplate.go.types import (
    GoType,
    is_named_tuple,
    is_struct_class,
    type_from_hint,
)

StructFields: TypeAlias = tuple[tuple[str, str, object], ...]


@lru_cache(maxsize=4096)
def struct_fields(cls: type) -> StructFields | None:
    """The fields of a class seen as a struct, in order: template name, attribute, type hint.

    `None` for other classes. Instances of plain classes may have more fields than
    their class declares: `fields` finds those too.
    """
    if not is_struct_class(cls):
        return None
    hints = _hints(cls)
    return tuple((name, attr, hints.get(attr, object)) for name, attr in _declared(cls, hints))


def _hints(cls: type) -> Mapping[str, object]:
    try:
        found = typing.get_type_hints(cls, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError):  # hints that cannot be resolved
        return {}
    for name, member in _properties(cls):
        try:
            result = typing.get_type_hints(member.fget, include_extras=True)
        except (NameError, TypeError, AttributeError, SyntaxError):
            continue
        found[name] = result.get("return", object)
    return found


def _properties(cls: type) -> Iterable[tuple[str, property]]:
    for base in reversed(cls.__mro__):
        for name, member in vars(base).items():
            if isinstance(member, property) and not name.startswith("_"):
                yield name, member


def _declared(cls: type, hints: Mapping[str, object]) -> Sequence[tuple[str, str]]:
    if hasattr(cls, "__struct_fields__"):
        encoded = getattr(cls, "__struct_encode_fields__", cls.__struct_fields__)
        return list(zip(encoded, cls.__struct_fields__, strict=True))
    if hasattr(cls, "__dataclass_fields__"):
        own: Iterable[str] = [
            name
            for name, declared in cls.__dataclass_fields__.items()
            if "ClassVar" not in str(declared.type) and "InitVar" not in str(declared.type)
        ]
    elif is_named_tuple(cls):
        own = cls._fields  # type: ignore[attr-defined]
    elif hasattr(cls, "__attrs_attrs__"):
        own = [declared.name for declared in cls.__attrs_attrs__]
    else:
        slots = [slot for base in reversed(cls.__mro__) for slot in _slots(base)]
        own = dict.fromkeys([*hints, *slots, *(name for name, _ in _properties(cls))])
    return [(name, name) for name in own if not name.startswith("_")]


def _slots(cls: type) -> Iterable[str]:
    slots = vars(cls).get("__slots__", ())
    return [slots] if isinstance(slots, str) else slots


@lru_cache(maxsize=4096)
def field_types(cls: type) -> Mapping[str, tuple[str, GoType]]:
    """Template name to attribute and Go type, of a class seen as a struct."""
    return {name: (attr, type_from_hint(hint)) for name, attr, hint in struct_fields(cls) or ()}
