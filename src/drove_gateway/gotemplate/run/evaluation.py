"""Pipelines, worked out one by one: the half of the interpreter that yields values.

A value is what `values` says it is, `MISSING`, or an `Interface`: a value which Go holds in a place
of type `interface {}`, such as an element of a `map[string]interface {}`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Never, TypeAlias, cast

from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.functions.builtins import printf, truth
from drove_gateway.gotemplate.functions.signatures import VALUE, Function, method_function
from drove_gateway.gotemplate.go.types import ANY, GoType, Kind
from drove_gateway.gotemplate.go.values import (
    MISSING,
    box,
    field,
    field_types,
    method,
    raw,
    type_of,
)
from drove_gateway.gotemplate.run.arguments import (
    ABSENT,
    Interface,
    bare,
    constant,
    ideal,
    in_place,
    validated,
)
from drove_gateway.gotemplate.run.limits import Budget, LimitError, is_wide
from drove_gateway.gotemplate.run.positions import exec_error
from drove_gateway.gotemplate.syntax import nodes
from drove_gateway.gotemplate.syntax.trampoline import Steps

_Args: TypeAlias = Sequence[nodes.Operand]
_NO_ARGS: Final[_Args] = ()


class Evaluation:
    """The execution of one template: its variables, and the node that an error would name."""

    def __init__(
        self,
        trees: Mapping[str, nodes.Tree],
        tree: nodes.Tree,
        functions: Mapping[str, Function],
        budget: Budget,
        out: list[str],
        dot: object,
        depth: int,
    ) -> None:
        self.trees = trees
        self.tree = tree
        self.functions = functions
        self.budget = budget
        self.out = out
        self.variables = [("$", dot)]
        self.depth = depth
        self.node: nodes.Node = tree.body

    def fail(self, message: str) -> Never:
        raise exec_error(self.tree, self.node, message)

    def spend(self, steps: int = 1) -> None:
        try:
            self.budget.spend(steps)
        except LimitError as error:
            self.fail(str(error))

    def write(self, output: str) -> None:
        try:
            self.budget.write(len(output))
        except LimitError as error:
            self.fail(str(error))
        self.out.append(output)

    # Variables

    def assign(self, name: str, value: object) -> None:
        for at in range(len(self.variables) - 1, -1, -1):
            if self.variables[at][0] == name:
                self.variables[at] = (name, value)
                return
        self.fail(f"undefined variable: {name}")

    def variable(self, name: str) -> object:
        for known, value in reversed(self.variables):
            if known == name:
                return value
        return self.fail(f"undefined variable: {name}")

    # Pipelines

    def pipeline(self, dot: object, pipe: nodes.Pipe) -> Steps[object]:
        value = self.simple_pipeline(dot, pipe)
        if value is not ABSENT:
            return value
        self.node = pipe
        for command in pipe.commands:
            value = bare((yield self.command(dot, command, value)))
        for variable in pipe.variables:
            if pipe.assigns:
                self.assign(variable.names[0], value)
            else:
                self.variables.append((variable.names[0], value))
        return value

    def simple_pipeline(self, dot: object, pipe: nodes.Pipe) -> object:
        """The value of a pipeline that is one operand without arguments, else `ABSENT`."""
        if pipe.variables or len(pipe.commands) > 1 or len(pipe.commands[0].args) > 1:
            return ABSENT
        value = self.simple_operand(dot, pipe.commands[0].args[0])
        return bare(value)

    def simple_operand(self, dot: object, node: nodes.Operand) -> object:
        """`.A.B`, `$x.A.B` or `.`; for anything else `ABSENT`."""
        self.node = node
        if isinstance(node, nodes.Field):
            return self.chain(dot, node.names, node)
        if isinstance(node, nodes.Variable):
            return self.chain(self.variable(node.names[0]), node.names[1:], node)
        return dot if isinstance(node, nodes.Dot) else ABSENT

    def chain(self, receiver: object, names: Sequence[str], node: nodes.Operand) -> object:
        for name in names:
            receiver = self.field(name, node, receiver, has_args=False)
        return receiver

    def command(self, dot: object, command: nodes.Command, final: object) -> Steps[object]:
        first = command.args[0]
        match first:
            case nodes.Field() | nodes.Chain() | nodes.Variable():
                return (yield self.selection(dot, first, command.args, final))
            case nodes.Identifier():
                return (yield self.call_named(dot, first, command, command.args, final))
            case nodes.Pipe():
                self.require_no_arguments(command.args, final)
                return (yield self.pipeline(dot, first))
        self.node = first
        self.require_no_arguments(command.args, final)
        if isinstance(first, nodes.Dot):
            return dot
        if isinstance(first, nodes.Nil):
            self.fail("nil is not a command")
        return self.constant(first, ANY)

    def require_no_arguments(self, args: _Args, final: object) -> None:
        if len(args) > 1 or final is not ABSENT:
            self.fail(f"can't give argument to non-function {nodes.text_of(args[0])}")

    def constant(self, node: nodes.Operand, wanted: GoType) -> object:
        try:
            return ideal(node) if wanted is ANY else constant(node, wanted)
        except FunctionError as error:
            self.fail(str(error))

    # Fields

    def selection(
        self,
        dot: object,
        node: nodes.Field | nodes.Chain | nodes.Variable,
        args: _Args,
        final: object,
    ) -> Steps[object]:
        """`.A.B`, `$x.A.B` or `(…).A.B`; the last of the names gets the arguments."""
        self.node = node
        names = node.names
        if isinstance(node, nodes.Field):
            receiver = dot
        elif isinstance(node, nodes.Variable):
            receiver, names = self.variable(names[0]), names[1:]
            if not names:
                self.require_no_arguments(args or [node], final)
                return receiver
        else:
            if isinstance(node.base, nodes.Nil):
                self.fail(f"indirection through explicit nil in {nodes.text_of(node)}")
            receiver = yield self.argument(dot, None, node.base)
        receiver = self.chain(receiver, names[:-1], node)
        has_args = len(args) > 1 or final is not ABSENT
        bound = method(bare(receiver), names[-1]) if has_args else None
        if bound is None:
            return self.field(names[-1], node, receiver, has_args=has_args)
        called = method_function(bare(receiver), names[-1], bound)
        return (yield self.call(dot, called, node, names[-1], args, final))

    def field(self, name: str, node: nodes.Operand, receiver: object, *, has_args: bool) -> object:
        """A field, the value of a map, or the result of a method without arguments."""
        if receiver is MISSING:
            return MISSING
        shown = ANY if isinstance(receiver, Interface) else None
        receiver = bare(receiver)
        if receiver is MISSING:
            self.fail(f"nil pointer evaluating {ANY.name}.{name}")
        found = type_of(receiver)
        shown = shown or found
        bound = method(receiver, name)
        if bound is not None:
            return self.call_method(receiver, name, node, bound)
        if found.kind is Kind.STRUCT:
            return self.struct_field(receiver, name, has_args=has_args, shown=shown.name)
        if found.kind is Kind.MAP and (found.key or ANY).kind in {Kind.STRING, Kind.INTERFACE}:
            if has_args:
                self.fail(f"{name} is not a method but has arguments")
            plain = cast("Mapping[object, object]", raw(receiver))
            present = name in plain
            return in_place(box(plain[name], found.item), found.item) if present else MISSING
        return self.fail(f"can't evaluate field {name} in type {shown.name}")

    def struct_field(self, receiver: object, name: str, *, has_args: bool, shown: str) -> object:
        value = field(receiver, name)
        if value is MISSING:
            self.fail(f"can't evaluate field {name} in type {shown}")
        if has_args:
            self.fail(f"{name} has arguments but cannot be invoked as function")
        cls: Any = type(receiver)
        _, declared = field_types(cls).get(name, ("", None))
        return value if declared is None else in_place(value, declared)

    def call_method(
        self, receiver: object, name: str, node: nodes.Operand, bound: Callable[..., object]
    ) -> object:
        called = method_function(receiver, name, bound)
        self.check_count(called, name, 0, ABSENT)
        return self.invoke(called, name, node, [])

    # Calls

    def call_named(
        self,
        dot: object,
        node: nodes.Identifier,
        command: nodes.Node,
        args: _Args,
        final: object,
    ) -> Steps[object]:
        self.node = node
        called = self.functions[node.name]
        return (yield self.call(dot, called, command, node.name, args, final))

    def call(
        self,
        dot: object,
        called: Function,
        node: nodes.Node,
        name: str,
        args: _Args,
        final: object,
    ) -> Steps[object]:
        given = args[1:]
        self.check_count(called, name, len(given), final)
        if called.lazy:
            return (yield self.short_circuit(dot, called, given, final))
        values = []
        for number, arg in enumerate(given):
            wanted = called.param(number)
            value = self.simple_operand(dot, arg)
            if value is ABSENT:
                values.append((yield self.argument(dot, wanted, arg)))
            else:
                values.append(self.validate(value, wanted))
        if final is not ABSENT:
            values.append(self.validate(final, called.param(len(given))))
        return self.invoke(called, name, node, values)

    def invoke(
        self, called: Function, name: str, node: nodes.Node, values: Sequence[object]
    ) -> object:
        plain = [_as_argument(value) for value in values]
        self.charge(*plain, times=_uses(called, plain))
        try:
            result = called.invoke(plain)
        except Exception as error:  # noqa: BLE001 - whatever a function raises is its error
            self.node = node
            self.fail(f"error calling {name}: {str(error) or type(error).__name__}")
        self.charge(result)
        return Interface(None) if result is None else result

    def charge(self, *values: object, times: int = 1) -> None:
        try:
            self.budget.spend_on(*values, times=times)
        except LimitError as error:
            self.fail(str(error))

    def check_count(self, called: Function, name: str, given: int, final: object) -> None:
        count = given + (final is not ABSENT)
        problem = called.wrong_count(count, shown=given)
        if problem is not None:
            self.fail(f"wrong number of args for {name}: {problem}")

    def short_circuit(
        self, dot: object, called: Function, given: _Args, final: object
    ) -> Steps[object]:
        """`and` and `or` evaluate no more than they need."""
        value: object = MISSING
        for arg in given:
            value = bare((yield self.argument(dot, VALUE, arg)))
            if called.call(truth(value)):
                return value
        return value if final is ABSENT else final

    def argument(self, dot: object, wanted: GoType | None, node: nodes.Operand) -> Steps[object]:
        self.node = node
        match node:
            case nodes.Dot():
                value = dot
            case nodes.Nil():
                return self.nil_argument(wanted or ANY)
            case nodes.Field():
                value = yield self.selection(dot, node, [node], ABSENT)
            case nodes.Variable() | nodes.Chain():
                value = yield self.selection(dot, node, _NO_ARGS, ABSENT)
            case nodes.Pipe():
                value = yield self.pipeline(dot, node)
            case nodes.Identifier():
                value = yield self.call_named(dot, node, node, _NO_ARGS, ABSENT)
            case _:
                return self.constant(node, ANY if wanted is VALUE or wanted is None else wanted)
        return self.validate(value, wanted)

    def nil_argument(self, wanted: GoType) -> object:
        try:
            return validated(MISSING, wanted)
        except FunctionError:
            self.fail(f"cannot assign nil to {wanted.name}")

    def validate(self, value: object, wanted: GoType | None) -> object:
        try:
            return validated(value, wanted)
        except FunctionError as error:
            self.fail(str(error))


def _uses(called: Function, args: Sequence[object]) -> int:
    """How often a call may use each of its arguments."""
    if called.call is not printf or not isinstance(args[0], str):
        return 1
    return args[0].count("%") * (1000 if is_wide(args[0]) else 1) + 1


def _as_argument(value: object) -> object:
    return value.value if isinstance(value, Interface) else value
