"""`eq`, `ne`, `lt`, `le`, `gt` and `ge` to Python's operators, where the types allow them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Value
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.static_types import INTEGERS
from drove_gateway.gotemplate.functions import comparison
from drove_gateway.gotemplate.functions.signatures import Function
from drove_gateway.gotemplate.go.types import Kind

BASIC: Final = INTEGERS | {Kind.STRING, Kind.BOOL, Kind.FLOAT}
_ORDERED: Final[Mapping[Callable[..., object], str]] = {
    comparison.lt: "{} < {}",
    comparison.le: "{} <= {}",
    comparison.gt: "not {} <= {}",
    comparison.ge: "not {} < {}",
}
_PYTHON: Final = {"string": "str", "int": "int", "bool": "bool"}


def compared(emit: Emitter, called: Function, given: Sequence[Value]) -> str | None:
    """Return an expression for a comparison; `None` for any other function."""
    if called.call is comparison.eq and len(given) > 1:
        return " or ".join(_equality(emit, given[0], other) for other in given[1:])
    if called.call is comparison.ne:
        return f"not ({_equality(emit, *given)})"
    form = _ORDERED.get(called.call)
    if form is None:
        return None
    first, second = given
    slow = f"{emit.names.of(called.call)}({emit.boxed(first)}, {emit.boxed(second)})"
    guard = _guard(first, second, INTEGERS)
    if guard is None:
        return slow
    fast = form.format(first.code, second.code)
    return f"({fast}) if {guard} else {slow}" if guard else fast


def _equality(emit: Emitter, first: Value, second: Value) -> str:
    guard = _guard(first, second, BASIC)
    fast = f"{first.code} == {second.code}"
    if guard == "":
        return fast
    slow = f"{emit.names.of(comparison.eq)}({emit.boxed(first)}, {emit.boxed(second)})"
    return slow if guard is None else f"({fast} if {guard} else {slow})"


def _guard(first: Value, second: Value, kinds: frozenset[Kind]) -> str | None:
    """Return when Python's operator may be used: "" is always, `None` never, else a condition."""
    known = [value.type for value in (first, second) if value.type is not None]
    if any(found.kind not in kinds for found in known):
        return None
    if len(known) == 2:
        same = known[0].kind is known[1].kind or {known[0].kind, known[1].kind} == INTEGERS
        return "" if same else None
    if len(known) == 1 and known[0].name in _PYTHON:
        unknown = first if first.type is None else second
        return f"type({unknown.code}) is {_PYTHON[known[0].name]}"
    return None
