"""Pipelines and their operands: the half of the interpreter that returns values.

A value is what `go.values` says it is, `MISSING`, or an `Interface`: a value which Go holds in a
place of type `interface {}`, such as an element of a `map[string]interface {}`.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.functions.builtins import truth
from drove_gateway.gotemplate.functions.signatures import VALUE, Function, method_function
from drove_gateway.gotemplate.go.types import ANY, GoType
from drove_gateway.gotemplate.go.values import MISSING, method
from drove_gateway.gotemplate.run.arguments import ABSENT, bare, constant, ideal, validated
from drove_gateway.gotemplate.run.frame import Frame
from drove_gateway.gotemplate.run.invocation import Invocation
from drove_gateway.gotemplate.run.selection import Selection
from drove_gateway.gotemplate.syntax import nodes
from drove_gateway.gotemplate.syntax.trampoline import Steps

_Args: TypeAlias = Sequence[nodes.Operand]
_NO_ARGS: Final[_Args] = ()


class Evaluation:
    """Evaluates pipelines in a frame. `functions` are those that may be called, by name."""

    def __init__(self, frame: Frame, functions: Mapping[str, Function]) -> None:
        self._frame = frame
        self._functions = functions
        self._invocation = Invocation(frame)
        self._selection = Selection(frame, self._invocation)

    # Pipelines

    def pipeline(self, dot: object, pipe: nodes.Pipe) -> Steps[object]:
        """Return the value of a pipeline, and give it to the pipeline's variables."""
        value = self.simple_pipeline(dot, pipe)
        if value is not ABSENT:
            return value
        self._frame.node = pipe
        for command in pipe.commands:
            value = bare((yield self._command(dot, command, value)))
        give = self._frame.assign if pipe.assigns else self._frame.declare
        for variable in pipe.variables:
            give(variable.names[0], value)
        return value

    def simple_pipeline(self, dot: object, pipe: nodes.Pipe) -> object:
        """Return the value of a pipeline that is an operand without arguments, else `ABSENT`."""
        if pipe.variables or len(pipe.commands) > 1 or len(pipe.commands[0].args) > 1:
            return ABSENT
        return bare(self._simple_operand(dot, pipe.commands[0].args[0]))

    def _simple_operand(self, dot: object, node: nodes.Operand) -> object:
        """Return the value of `.A.B`, `$x.A.B` or `.`; for anything else `ABSENT`."""
        self._frame.node = node
        if isinstance(node, nodes.Field):
            return self._selection.chain(dot, node.names, node)
        if isinstance(node, nodes.Variable):
            value = self._frame.variable(node.names[0])
            return self._selection.chain(value, node.names[1:], node)
        return dot if isinstance(node, nodes.Dot) else ABSENT

    def _command(self, dot: object, command: nodes.Command, final: object) -> Steps[object]:
        first = command.args[0]
        match first:
            case nodes.Field() | nodes.Chain() | nodes.Variable():
                return (yield self._select(dot, first, command.args, final))
            case nodes.Identifier():
                return (yield self._call_named(dot, first, command, command.args, final))
            case nodes.Pipe():
                self._require_no_arguments(command.args, final)
                return (yield self.pipeline(dot, first))
        self._frame.node = first
        self._require_no_arguments(command.args, final)
        if isinstance(first, nodes.Dot):
            return dot
        if isinstance(first, nodes.Nil):
            self._frame.fail("nil is not a command")
        return self._constant(first, ANY)

    def _require_no_arguments(self, args: _Args, final: object) -> None:
        if len(args) > 1 or final is not ABSENT:
            self._frame.fail(f"can't give argument to non-function {nodes.text_of(args[0])}")

    # Operands

    def _select(
        self,
        dot: object,
        node: nodes.Field | nodes.Chain | nodes.Variable,
        args: _Args,
        final: object,
    ) -> Steps[object]:
        """Return `.A.B`, `$x.A.B` or `(…).A.B`; the last of the names gets the arguments."""
        self._frame.node = node
        names = node.names[1:] if isinstance(node, nodes.Variable) else node.names
        receiver = yield self._receiver(dot, node)
        if not names:
            self._require_no_arguments(args or [node], final)
            return receiver
        receiver = self._selection.chain(receiver, names[:-1], node)
        has_args = len(args) > 1 or final is not ABSENT
        bound = method(bare(receiver), names[-1]) if has_args else None
        if bound is None:
            return self._selection.field(names[-1], node, receiver, has_args=has_args)
        called = method_function(bare(receiver), names[-1], bound)
        return (yield self._call(dot, called, node, names[-1], args, final))

    def _receiver(
        self, dot: object, node: nodes.Field | nodes.Chain | nodes.Variable
    ) -> Steps[object]:
        """Return the value that the first name is looked up in."""
        if isinstance(node, nodes.Field):
            return dot
        if isinstance(node, nodes.Variable):
            return self._frame.variable(node.names[0])
        if isinstance(node.base, nodes.Nil):
            self._frame.fail(f"indirection through explicit nil in {nodes.text_of(node)}")
        return (yield self._argument(dot, None, node.base))

    def _argument(self, dot: object, wanted: GoType | None, node: nodes.Operand) -> Steps[object]:
        """Return an operand as an argument of a type (`None`: of any)."""
        self._frame.node = node
        match node:
            case nodes.Dot():
                value = dot
            case nodes.Nil():
                return self._nil_argument(wanted or ANY)
            case nodes.Field():
                value = yield self._select(dot, node, [node], ABSENT)
            case nodes.Variable() | nodes.Chain():
                value = yield self._select(dot, node, _NO_ARGS, ABSENT)
            case nodes.Pipe():
                value = yield self.pipeline(dot, node)
            case nodes.Identifier():
                value = yield self._call_named(dot, node, node, _NO_ARGS, ABSENT)
            case _:
                return self._constant(node, ANY if wanted is VALUE or wanted is None else wanted)
        return self._invocation.validate(value, wanted)

    def _nil_argument(self, wanted: GoType) -> object:
        try:
            return validated(MISSING, wanted)
        except FunctionError:
            self._frame.fail(f"cannot assign nil to {wanted.name}")

    def _constant(self, node: nodes.Operand, wanted: GoType) -> object:
        try:
            return ideal(node) if wanted is ANY else constant(node, wanted)
        except FunctionError as error:
            self._frame.fail(str(error))

    # Calls

    def _call_named(
        self, dot: object, node: nodes.Identifier, command: nodes.Node, args: _Args, final: object
    ) -> Steps[object]:
        self._frame.node = node
        called = self._functions[node.name]
        return (yield self._call(dot, called, command, node.name, args, final))

    def _call(
        self,
        dot: object,
        called: Function,
        node: nodes.Node,
        name: str,
        args: _Args,
        final: object,
    ) -> Steps[object]:
        """Call a function; `args` starts with its name, `final` is the value that is piped in."""
        given = args[1:]
        piped = final is not ABSENT
        self._invocation.check_count(called, name, given=len(given), piped=piped)
        if called.lazy:
            return (yield self._short_circuit(dot, called, given, final))
        values = []
        for number, arg in enumerate(given):
            wanted = called.param(number)
            value = self._simple_operand(dot, arg)
            if value is ABSENT:
                values.append((yield self._argument(dot, wanted, arg)))
            else:
                values.append(self._invocation.validate(value, wanted))
        if piped:
            values.append(self._invocation.validate(final, called.param(len(given))))
        return self._invocation.invoke(called, name, node, values)

    def _short_circuit(
        self, dot: object, called: Function, given: _Args, final: object
    ) -> Steps[object]:
        """Evaluate no more arguments of `and` and `or` than decide the result."""
        value: object = MISSING
        for arg in given:
            value = bare((yield self._argument(dot, VALUE, arg)))
            if called.call(truth(value)):
                return value
        return value if final is ABSENT else final
