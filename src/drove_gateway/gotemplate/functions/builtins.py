"""Go's predefined functions, described as Go describes them."""

import operator
from collections.abc import Mapping
from typing import Final

from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.functions import comparison, escape, indexing
from drove_gateway.gotemplate.functions.signatures import VALUE, Function, builtin, function
from drove_gateway.gotemplate.go.format import sprint, sprintf, sprintln
from drove_gateway.gotemplate.go.types import (
    ANY,
    BOOL,
    INT,
    STRING,
    Kind,
)
from drove_gateway.gotemplate.go.values import MISSING, raw, type_of


def truth(value: object) -> bool:
    """Whether `if` takes a value as true: whether it is not the zero value of its type."""
    if value is None or value is MISSING:
        return False
    kind = type_of(value).kind
    return True if kind in {Kind.STRUCT, Kind.FUNC} else bool(raw(value))


def not_(value: object) -> bool:
    return not truth(value)


def print_(*args: object) -> str:
    return sprint(args)


def println(*args: object) -> str:
    return sprintln(args)


def printf(form: str, *args: object) -> str:
    return sprintf(form, args)


def _call(target: object, *args: object) -> object:
    if target is None or target is MISSING:
        raise FunctionError("call of nil")
    found = type_of(target)
    if found.kind is not Kind.FUNC or not callable(target):
        raise FunctionError(f"non-function of type {found.name}")
    described = function(target)
    _check_count(described, len(args))
    prepared = []
    for number, arg in enumerate(args):
        try:
            prepared.append(indexing.prepare(arg, described.param(number)))
        except FunctionError as error:
            raise FunctionError(f"arg {number}: {error}") from None
    return described.invoke(prepared)


def _check_count(described: Function, given: int) -> None:
    most = len(described.params)
    if given < described.required:
        open_ended = described.variadic is not None or most > described.required
        want = f"at least {described.required}" if open_ended else str(described.required)
        raise FunctionError(f"wrong number of args: got {given} want {want}")
    if given > most and described.variadic is None:
        raise FunctionError(f"wrong number of args: got {given} want {most}")


BUILTINS: Final[Mapping[str, Function]] = {
    "and": builtin(operator.not_, VALUE, variadic=VALUE, lazy=True),
    "or": builtin(bool, VALUE, variadic=VALUE, lazy=True),
    "not": builtin(not_, VALUE, result=BOOL),
    "call": builtin(_call, VALUE, variadic=VALUE),
    "index": builtin(indexing.index, VALUE, variadic=VALUE),
    "slice": builtin(indexing.slice_, VALUE, variadic=VALUE),
    "len": builtin(indexing.len_, VALUE, result=INT),
    "print": builtin(print_, variadic=ANY, result=STRING),
    "printf": builtin(printf, STRING, variadic=ANY, result=STRING),
    "println": builtin(println, variadic=ANY, result=STRING),
    "html": builtin(escape.html, variadic=ANY, result=STRING),
    "js": builtin(escape.js, variadic=ANY, result=STRING),
    "urlquery": builtin(escape.urlquery, variadic=ANY, result=STRING),
    "eq": builtin(comparison.eq, VALUE, variadic=VALUE, result=BOOL),
    "ne": builtin(comparison.ne, VALUE, VALUE, result=BOOL),
    "lt": builtin(comparison.lt, VALUE, VALUE, result=BOOL),
    "le": builtin(comparison.le, VALUE, VALUE, result=BOOL),
    "gt": builtin(comparison.gt, VALUE, VALUE, result=BOOL),
    "ge": builtin(comparison.ge, VALUE, VALUE, result=BOOL),
}
