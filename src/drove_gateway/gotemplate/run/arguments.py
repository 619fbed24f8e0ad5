"""Arguments of functions: constants that adapt, and checks that types fit."""

from typing import Final

from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.functions.signatures import VALUE
from drove_gateway.gotemplate.go.types import GoType, Kind
from drove_gateway.gotemplate.go.values import (
    MISSING,
    Missing,
    box,
    type_of,
    zero,
)
from drove_gateway.gotemplate.syntax import nodes

ABSENT: Final = Missing()
"""No value was piped in, which is not the same as a `MISSING` value."""

_NILABLE: Final = frozenset({Kind.INTERFACE, Kind.MAP, Kind.SLICE, Kind.FUNC})
_INTEGERS: Final = frozenset({Kind.INT, Kind.UINT})


class Interface:
    """A value in a place of type `interface {}`; messages about it name that type."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def in_place(value: object, declared: GoType) -> object:
    """A value as Go holds it in a place of a declared type."""
    return Interface(value) if declared.kind is Kind.INTERFACE or value is None else value


def bare(value: object) -> object:
    """The value without the place it came from; `MISSING` for a nil interface."""
    if not isinstance(value, Interface):
        return value
    return MISSING if value.value is None else value.value


def validated(value: object, wanted: GoType | None) -> object:
    """A value that may be given where a type is wanted (`None`: any). Raises `FunctionError`."""
    if wanted is None or wanted is VALUE:
        return value
    if value is MISSING:
        if wanted.kind not in _NILABLE:
            raise FunctionError(f"invalid value; expected {wanted.name}")
        return Interface(None) if wanted.kind is Kind.INTERFACE else zero(wanted)
    if wanted.kind is Kind.INTERFACE:
        return value
    inner = value.value if isinstance(value, Interface) else value
    found = type_of(inner)
    if not _assignable(found, wanted):
        raise FunctionError(f"wrong type for value; expected {wanted.name}; got {found.name}")
    return inner


def _assignable(found: GoType, wanted: GoType) -> bool:
    if found == wanted:
        return True
    if found.kind is Kind.STRUCT and wanted.kind is Kind.STRUCT:
        return (
            found.cls is not None and wanted.cls is not None and issubclass(found.cls, wanted.cls)
        )
    # A hint that says int means an integer of any size.
    return wanted.name == "int" and found.kind in _INTEGERS


def ideal(node: nodes.Operand) -> object:
    """What a constant is where nothing says what it should be. Raises `FunctionError`."""
    if isinstance(node, nodes.Bool | nodes.String):
        return node.value
    if not isinstance(node, nodes.Number):
        raise FunctionError(f"can't evaluate command {nodes.text_of(node)}")
    if node.as_complex is not None:
        return node.as_complex
    if node.as_float is not None and _looks_like_float(node.text):
        return node.as_float
    if node.as_int is None:
        raise FunctionError(f"{node.text} overflows int")
    return node.as_int


def _looks_like_float(text: str) -> bool:
    is_hex_int = text[:2] in {"0x", "0X"} and len(text) > 2 and not set(text) & set("pP")
    return not is_hex_int and not text.startswith("'") and bool(set(text) & set(".eEpP"))


def constant(node: nodes.Operand, wanted: GoType) -> object:
    """A constant as an argument of the wanted type. Raises `FunctionError`."""
    if wanted.kind is Kind.INTERFACE:
        return ideal(node)
    found: object = None
    if isinstance(node, nodes.Number):
        found = _number_as(node, wanted.kind)
    elif (isinstance(node, nodes.Bool) and wanted.kind is Kind.BOOL) or (
        isinstance(node, nodes.String) and wanted.kind is Kind.STRING
    ):
        found = node.value
    if found is not None:
        return box(found, wanted)
    shown = nodes.text_of(node)
    if wanted.kind not in _EXPECTED:
        raise FunctionError(f"can't handle {shown} for arg of type {wanted.name}")
    raise FunctionError(f"expected {_EXPECTED[wanted.kind]}; found {shown}")


def _number_as(node: nodes.Number, kind: Kind) -> int | float | complex | None:
    match kind:
        case Kind.INT:
            return node.as_int
        case Kind.UINT:
            return node.as_uint
        case Kind.FLOAT:
            return node.as_float
        case Kind.COMPLEX:
            return node.as_complex
    return None


_EXPECTED: Final = {
    Kind.BOOL: "bool",
    Kind.STRING: "string",
    Kind.INT: "integer",
    Kind.UINT: "unsigned integer",
    Kind.FLOAT: "float",
    Kind.COMPLEX: "complex",
}
