"""Functions that become a Python expression instead of a call, where the types are known."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Value, literal_text
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.static_types import INTEGERS, static
from drove_gateway.gotemplate.functions import gateway
from drove_gateway.gotemplate.functions.signatures import Function
from drove_gateway.gotemplate.go.types import INT, STRING, GoType, Kind
from drove_gateway.gotemplate.go.values import raw, zero

_VERBS: Final = re.compile(r"%([sdv%])")
_VERB_KINDS: Final = {
    "s": frozenset({Kind.STRING}),
    "d": INTEGERS,
    "v": INTEGERS | {Kind.STRING},
}
_EXPRESSIONS: Final[Mapping[Callable[..., object], str]] = {
    gateway.has_prefix: "{0}.startswith({1})",
    gateway.has_suffix: "{0}.endswith({1})",
    gateway.contains: "{1} in {0}",
    gateway.replace: "{0}.replace({1}, {2}, {3})",
    gateway.hostport: (
        "('[' + {0} + ']:' if ':' in {0} and {0}[0] != '[' else {0} + ':') + str({1})"
    ),
}
"""The gateway's functions that are an expression in Python too."""

_ACCEPTED: Final = {Kind.INTERFACE: frozenset({Kind.STRING, Kind.INT}), Kind.INT: INTEGERS}


def expression(called: Function, given: Sequence[Value]) -> str | None:
    """Return a gateway function as an expression, if the arguments have the types it wants."""
    form = _EXPRESSIONS.get(called.call)
    if form is None:
        return None
    for number, value in enumerate(given):
        kind = called.param(number).kind
        if value.kind is None or value.kind not in _ACCEPTED.get(kind, {kind}):
            return None
    return form.format(*[value.code for value in given])


def formatted(given: Sequence[Value]) -> str | None:
    """Return `printf` as an f-string, for a format without anything that needs more."""
    form, *args = given
    if not isinstance(form.constant, str):
        return None
    text, *rest = _VERBS.split(form.constant)
    parts = [literal_text(text)]
    for verb, after in zip(rest[::2], rest[1::2], strict=True):
        part = "%" if verb == "%" else _verb(verb, args.pop(0) if args else None)
        if part is None:
            return None
        parts += [part, literal_text(after)]
    code = "".join(parts)
    return None if args or "%" in text + "".join(rest[1::2]) else f'f"{code}"'


def _verb(verb: str, arg: Value | None) -> str | None:
    if arg is None or arg.kind is None or arg.kind not in _VERB_KINDS[verb]:
        return None
    if isinstance(arg.constant, str | int):
        return literal_text(str(arg.constant))
    return f"{{{arg.code}}}"


def length(emit: Emitter, value: Value) -> Value:
    """`len value`."""
    if value.kind in {Kind.SLICE, Kind.MAP}:
        return Value(emit.let(f"len({value.code})").code, INT)
    return Value(emit.let(f"length({emit.boxed(value)})").code, INT)


def indexed(emit: Emitter, given: Sequence[Value]) -> Value:
    """`index value key…`."""
    value, *keys = given
    for key in keys:
        value = _index_once(emit, value, key)
    return value


def _index_once(emit: Emitter, value: Value, key: Value) -> Value:
    found = value.type
    if found is None and key.type == STRING:
        present = f"{value.code}[{key.code}] if type({value.code}) is dict"
        slow = f"index({value.code}, {key.code})"
        return emit.let(f"{present} and {key.code} in {value.code} else {slow}")
    if found is not None and found.kind is Kind.MAP and key.type == STRING:
        return _index_map(emit, value, found.item, key)
    if found is not None and found.kind is Kind.SLICE and key.type == INT:
        emit.add(f"if not 0 <= {key.code} < len({value.code}): raise Surprise")
        return emit.let(f"{value.code}[{key.code}]", found.item)
    return emit.let(f"index({emit.boxed(value)}, {emit.boxed(key)})")


def _index_map(emit: Emitter, value: Value, item: GoType, key: Value) -> Value:
    empty = zero(item)
    if item.kind in {Kind.SLICE, Kind.MAP}:
        return emit.let(f"{value.code}.get({key.code})", item)
    if static(item) is None or item.kind is Kind.STRUCT:
        code = f"{value.code}.get({key.code}, {emit.names.of(empty)})"
        return emit.checked(emit.let(code).code, None if item.kind is Kind.STRUCT else item)
    return emit.let(f"{value.code}.get({key.code}, {raw(empty)!r})", item)
