"""Calls of functions and methods with arguments that have been evaluated."""

from collections.abc import Callable, Sequence

from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.functions.builtins import printf
from drove_gateway.gotemplate.functions.signatures import Function, method_function
from drove_gateway.gotemplate.go.types import GoType
from drove_gateway.gotemplate.run.arguments import Interface, validated
from drove_gateway.gotemplate.run.frame import Frame
from drove_gateway.gotemplate.run.limits import is_wide
from drove_gateway.gotemplate.syntax import nodes


class Invocation:
    """Calls functions for a frame; their errors become `TemplateExecError`."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def invoke(
        self, called: Function, name: str, node: nodes.Node, values: Sequence[object]
    ) -> object:
        """Call a function with checked arguments; errors name `node`."""
        plain = [value.value if isinstance(value, Interface) else value for value in values]
        self._frame.charge(*plain, times=_uses(called, plain))
        try:
            result = called.invoke(plain)
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its error
            self._frame.node = node
            self._frame.fail(f"error calling {name}: {str(error) or type(error).__name__}")
        self._frame.charge(result)
        return Interface(None) if result is None else result

    def invoke_method(
        self, receiver: object, name: str, node: nodes.Node, bound: Callable[..., object]
    ) -> object:
        """Call a method without arguments."""
        called = method_function(receiver, name, bound)
        self.check_count(called, name, given=0, piped=False)
        return self.invoke(called, name, node, [])

    def check_count(self, called: Function, name: str, *, given: int, piped: bool) -> None:
        """Fail where the number of arguments is wrong; `piped` says that another is piped in."""
        problem = called.wrong_count(given + piped, shown=given)
        if problem is not None:
            self._frame.fail(f"wrong number of args for {name}: {problem}")

    def validate(self, value: object, wanted: GoType | None) -> object:
        """Return a value as an argument of a type; fail where it does not fit."""
        try:
            return validated(value, wanted)
        except FunctionError as error:
            self._frame.fail(str(error))


def _uses(called: Function, args: Sequence[object]) -> int:
    """How often a call may use each of its arguments."""
    if called.call is not printf or not isinstance(args[0], str):
        return 1
    return args[0].count("%") * (1000 if is_wide(args[0]) else 1) + 1
