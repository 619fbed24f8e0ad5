"""Parameters and results of functions and methods, in Go's types.

Go knows this of every function; of a Python callable, its signature and type hints say it. What
they do not say is taken as `interface {}`.
"""

import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from drove_gateway.gotemplate.go.types import ANY, GoType, Kind, type_from_hint
from drove_gateway.gotemplate.go.values import MISSING, Typed, box, raw

VALUE: Final = GoType(Kind.STRUCT, "reflect.Value")
"""The type of parameters that take anything as it is, even what is missing."""


@dataclass(frozen=True, slots=True)
class Function:
    """`params` are the fixed parameters, `required` of them without a default.

    `variadic` is the type of each further argument, `None` if there may be none.
    `typed` says that the callable takes values as they travel (see `go.values`), not plain values.
    """

    call: Callable[..., object]
    params: tuple[GoType, ...] = ()
    variadic: GoType | None = None
    result: GoType = ANY
    required: int = 0
    typed: bool = False
    lazy: bool = False
    """For `and` and `or`: evaluates arguments until `call` is true of a value's truth."""

    def param(self, number: int) -> GoType:
        """The type of the argument with this number."""
        if number < len(self.params):
            return self.params[number]
        return self.variadic or ANY

    def wrong_count(self, count: int, *, shown: int) -> str | None:
        """What is wrong with giving `count` arguments; `shown` of them are not piped in."""
        most = len(self.params)
        if count < self.required:
            if self.variadic is not None or most > self.required:
                return f"want at least {self.required} got {shown}"
            return f"want {self.required} got {count}"
        if count > most and self.variadic is None:
            return f"want {most} got {count}"
        return None

    def invoke(self, args: typing.Sequence[object]) -> object:
        """Calls the function with checked arguments. Raises whatever the callable raises."""
        if self.typed:
            return self.call(*args)
        return box(self.call(*[plain(arg) for arg in args]), self.result)


def plain(value: object) -> object:
    """A value as a Python function expects it."""
    if value is MISSING:
        return None
    return raw(value) if type(value) is Typed else value


def builtin(
    call: Callable[..., object],
    *params: GoType,
    variadic: GoType | None = None,
    result: GoType = ANY,
    lazy: bool = False,
) -> Function:
    """A function that takes Go values as they travel."""
    return Function(call, params, variadic, result, len(params), typed=True, lazy=lazy)


def function(call: Callable[..., object]) -> Function:
    """The Go view of a Python callable."""
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # some builtins do not tell
        return Function(call, variadic=ANY)
    hints = _hints(call)
    params, required, variadic = [], 0, None
    for param in signature.parameters.values():
        hint = type_from_hint(hints.get(param.name, object))
        if param.kind is param.VAR_POSITIONAL:
            variadic = hint
        elif param.kind in {param.POSITIONAL_ONLY, param.POSITIONAL_OR_KEYWORD}:
            params.append(hint)
            required += param.default is param.empty
    result = type_from_hint(hints.get("return", object))
    return Function(call, tuple(params), variadic, result, required)


def _hints(call: Callable[..., object]) -> dict[str, Any]:
    target = call if inspect.isroutine(call) else type(call).__call__
    try:
        return typing.get_type_hints(target, include_extras=True)
    except (NameError, TypeError, AttributeError, SyntaxError):  # hints that cannot be resolved
        return {}


@lru_cache(maxsize=4096)
def _method_of_class(cls: Any, name: str, _: object) -> Function:
    described = function(getattr(cls, name))
    return Function(
        described.call,
        described.params[1:],
        described.variadic,
        described.result,
        max(described.required - 1, 0),
    )


def method_function(receiver: object, name: str, bound: Callable[..., object]) -> Function:
    """The Go view of a method that was found on a receiver."""
    unbound = getattr(type(receiver), name, None)
    if not inspect.isfunction(unbound) or getattr(bound, "__self__", None) is not receiver:
        return function(bound)
    cls: Any = type(receiver)
    known = _method_of_class(cls, name, unbound)
    return Function(bound, known.params, known.variadic, known.result, known.required)
