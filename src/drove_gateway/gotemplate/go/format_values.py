"""How Go's `fmt` writes any value under any verb: containers, structs, and what is in them."""

import typing
from dataclasses import replace
from typing import Any, Final

from drove_gateway.gotemplate.go import format_operands
from drove_gateway.gotemplate.go.format_directives import Spec
from drove_gateway.gotemplate.go.types import UINT8, GoType, Kind
from drove_gateway.gotemplate.go.values import (
    MISSING,
    Typed,
    decode,
    elements,
    entries,
    fields,
    method,
    raw,
    type_of,
)

_BASIC: Final = frozenset({str, int, bool, float, list, dict, tuple})
_STRING_VERBS: Final = frozenset("vsxXq")


def type_name(value: object) -> str:
    """The name of a value's Go type, as `%T` shows it."""
    return type_of(value).name


def go_value(value: object, verb: str, spec: Spec) -> str:
    """Return an operand under a verb, as Go's `printArg` writes it."""
    if value is None or value is MISSING:
        return format_operands.pad("<nil>", spec) if verb in "Tv" else f"%!{verb}(<nil>)"
    if verb == "T":
        return format_operands.pad(format_operands.truncated(type_name(value), spec), spec)
    if verb == "p":
        return _pointer(value, verb, spec)
    if verb == "w":  # for errors that wrap others, which Sprintf does not make
        return _bad_verb(value, verb, spec)
    return _value(value, verb, spec)


def _value(value: object, verb: str, spec: Spec) -> str:
    own = None if type(value) in _BASIC else _from_method(value, verb, spec)
    return _reflected(value, verb, spec) if own is None else own


def _element(value: object, verb: str, spec: Spec) -> str:
    """Return a value inside another value, where nil is a nil interface and fits every verb."""
    if value is None or value is MISSING:
        return "interface {}(nil)" if spec.sharp_v else "<nil>"
    return _value(value, verb, spec)


def _from_method(value: object, verb: str, spec: Spec) -> str | None:
    """Return the value's own text: Go's `GoStringer`, `error` and `Stringer`."""
    if spec.sharp_v:
        names: tuple[str, ...] = ("GoString",)
    elif verb in _STRING_VERBS:
        names = ("Error", "String")
    else:
        return None
    for name in names:
        found = method(value, name)
        if found is not None:
            own = str(found())
            return format_operands.string(own, "s" if spec.sharp_v else verb, spec)
    return None


def _reflected(value: object, verb: str, spec: Spec) -> str:
    go_type = type_of(value)
    plain: Any = raw(value)
    written: str | None = None
    match go_type.kind:
        case Kind.STRING:
            written = format_operands.string(plain, verb, spec)
        case Kind.INT:
            written = format_operands.integer(int(plain), verb, spec)
        case Kind.BOOL:
            written = format_operands.boolean(plain, verb, spec)
        case Kind.UINT:
            written = format_operands.integer(int(plain), verb, spec, signed=False)
        case Kind.FLOAT:
            written = format_operands.floating(plain, verb, spec)
        case Kind.COMPLEX:
            written = format_operands.complex_number(plain, verb, spec)
        case Kind.MAP:
            written = _map(value, go_type, verb, spec)
        case Kind.SLICE:
            written = _slice(value, go_type, verb, spec)
        case Kind.STRUCT:
            written = _struct(value, go_type, verb, spec)
        case _:
            return _pointer(value, verb, spec)
    return _bad_verb(value, verb, spec) if written is None else written


def _bad_verb(value: object, verb: str, spec: Spec) -> str:
    """The note that a verb does not fit; the value in it does not speak for itself."""
    return f"%!{verb}({type_name(value)}={_reflected(value, 'v', spec)})"


def _map(value: object, go_type: GoType, verb: str, spec: Spec) -> str:
    items = [
        f"{_element(key, verb, spec)}:{_element(item, verb, spec)}" for key, item in entries(value)
    ]
    if spec.sharp_v:
        return _go_syntax(value, go_type, items)
    return f"map[{' '.join(items)}]"


def _slice(value: object, go_type: GoType, verb: str, spec: Spec) -> str | None:
    if go_type.item == UINT8 and verb in "sqxX":
        return _bytes(value, verb, spec)
    items = [_element(item, verb, spec) for item in elements(value)]
    if spec.sharp_v:
        return _go_syntax(value, go_type, items)
    return f"[{' '.join(items)}]"


def _struct(value: object, go_type: GoType, verb: str, spec: Spec) -> str:
    named = spec.plus_v or spec.sharp_v
    items = [
        f"{name}:{_element(item, verb, spec)}" if named else _element(item, verb, spec)
        for name, item in fields(value)
    ]
    if spec.sharp_v:
        return f"{go_type.name}{{{', '.join(items)}}}"
    return f"{{{' '.join(items)}}}"


def _go_syntax(value: object, go_type: GoType, items: list[str]) -> str:
    is_nil = type(value) is Typed and value.value is None
    return f"{go_type.name}(nil)" if is_nil else f"{go_type.name}{{{', '.join(items)}}}"


def _bytes(value: object, verb: str, spec: Spec) -> str | None:
    data = bytes([int(typing.cast("int", raw(item))) for item in elements(value)])
    return format_operands.string(decode(data), verb, spec)


def _pointer(value: object, verb: str, spec: Spec) -> str:
    """The address, where Go's value has one; its number means nothing."""
    if type_of(value).kind not in {Kind.MAP, Kind.SLICE, Kind.FUNC}:
        return _bad_verb(value, verb, spec)
    address = id(raw(value))
    if spec.sharp_v:
        return f"({type_name(value)})({address:#x})"
    if verb in "vp":
        hexadecimal = replace(spec, sharp=not spec.sharp)
        return format_operands.integer(address, "x", hexadecimal, signed=False) or ""
    written = (
        format_operands.integer(address, verb, spec, signed=False) if verb in "bodxX" else None
    )
    return _bad_verb(value, verb, spec) if written is None else written
