"""Which Go types compiled code relies on, and what they are in Python."""

from typing import Final

from drove_gateway.gotemplate.go.types import BYTE_SLICE, GoType, Kind

PYTHON_TYPES: Final = {
    Kind.STRING: "str",
    Kind.BOOL: "bool",
    Kind.INT: "int",
    Kind.UINT: "int",
    Kind.FLOAT: "float",
}
CONTAINERS: Final = {
    Kind.SLICE: ("tuple", "as_sequence"),
    Kind.MAP: ("dict", "as_dict"),
}
"""The exact Python type of a container, and the function that makes it of other values."""

INTEGERS: Final = frozenset({Kind.INT, Kind.UINT})
_PLAIN_KINDS: Final = frozenset({Kind.STRING, Kind.BOOL, Kind.STRUCT})


def static(declared: GoType | None) -> GoType | None:
    """Return a type if code that relies on it is faster; the others are handled at run time."""
    if declared is None or declared == BYTE_SLICE:
        return None
    if declared.kind is Kind.MAP:
        return declared if declared.key is not None and declared.key.name == "string" else None
    if declared.kind in {Kind.SLICE, Kind.STRUCT}:
        return declared
    return declared if declared.kind in PYTHON_TYPES else None


def is_plain(found: GoType) -> bool:
    """Whether values of a type travel as they are, without being `Typed`."""
    return found.kind in _PLAIN_KINDS or found.name in {"int", "float64", "complex128"}
