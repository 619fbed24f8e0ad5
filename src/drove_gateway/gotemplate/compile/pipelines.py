"""Pipelines to Python expressions.

Code is only emitted for what can be right: where a template is certainly wrong, the code raises
`Surprise`, and the interpreter words the error.
"""

from collections.abc import Mapping, Sequence

from drove_gateway.gotemplate.compile.calls import Calls
from drove_gateway.gotemplate.compile.codegen import Value
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.compile.fields import Fields
from drove_gateway.gotemplate.compile.variables import Variables
from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.functions.signatures import VALUE, Function
from drove_gateway.gotemplate.go.types import ANY, GoType
from drove_gateway.gotemplate.go.values import MISSING, type_of
from drove_gateway.gotemplate.run.arguments import constant, ideal, validated
from drove_gateway.gotemplate.run.limits import LONG_TEXT, is_long
from drove_gateway.gotemplate.syntax import nodes


class Pipelines:
    """Compiles the pipelines of a template for a type of dot; satisfies `Operands`."""

    def __init__(
        self,
        emitter: Emitter,
        variables: Variables,
        functions: Mapping[str, Function],
        node_number: int,
    ) -> None:
        self._emit = emitter
        self._variables = variables
        self._functions = functions
        self._fields = Fields(emitter)
        self._calls = Calls(emitter, self, node_number)

    def pipeline(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """Return the value of a pipeline that declares nothing."""
        if pipe.variables:
            raise NotCompilableError("a variable is declared or assigned inside parentheses")
        self._emit.enter()
        value = self.commands(dot, pipe)
        self._emit.leave()
        return value

    def commands(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """Return the value of a pipeline, which its variables do not have yet."""
        value: Value | None = None
        for command in pipe.commands:
            value = self._command(dot, command, value)
        return value or self._emit.dead()

    def _command(self, dot: Value, command: nodes.Command, final: Value | None) -> Value:
        first, *args = command.args
        if isinstance(first, nodes.Identifier):
            return self._calls.call(self._functions[first.name], dot, args, final)
        if isinstance(first, nodes.Field | nodes.Variable | nodes.Chain):
            return self._selection(dot, first, args, final)
        if args or final is not None:
            return self._emit.dead()
        return self._operand(dot, first)

    def _operand(self, dot: Value, node: nodes.Operand) -> Value:
        match node:
            case nodes.Dot():
                return dot
            case nodes.Pipe():
                return self.pipeline(dot, node)
            case nodes.Identifier():
                return self._calls.call(self._functions[node.name], dot, [], None)
            case nodes.Field() | nodes.Variable() | nodes.Chain():
                return self._selection(dot, node, [], None)
            case nodes.Nil():
                return self._emit.dead()
        return self._constant(node, ANY)

    def _constant(self, node: nodes.Operand, wanted: GoType) -> Value:
        try:
            found = ideal(node) if wanted is ANY else constant(node, wanted)
        except FunctionError:
            return self._emit.dead()
        if isinstance(found, str) and is_long(found):
            raise NotCompilableError(f"a string constant has more than {LONG_TEXT} characters")
        if isinstance(found, str | bool | int):
            return Value(repr(found), type_of(found), constant=found)
        known = None if found is MISSING else type_of(found)
        return Value(self._emit.names.of(found), known)

    # Fields and methods

    def _selection(
        self,
        dot: Value,
        node: nodes.Field | nodes.Variable | nodes.Chain,
        args: Sequence[nodes.Operand],
        final: Value | None,
    ) -> Value:
        """Return `.A.B`, `$x.A.B` or `(…).A.B`; with arguments, the last name is a method."""
        names = node.names[1:] if isinstance(node, nodes.Variable) else node.names
        value = self._receiver(dot, node)
        if value is None:
            return self._emit.dead()
        given = bool(args) or final is not None
        for name in names[:-1] if given else names:
            value = self._fields.field(value, name)
        if not given:
            return value
        return self._method(value, names[-1], dot, args, final) if names else self._emit.dead()

    def _receiver(
        self, dot: Value, node: nodes.Field | nodes.Variable | nodes.Chain
    ) -> Value | None:
        """Return the value that the first name is looked up in, `None` for what is an error."""
        if isinstance(node, nodes.Field):
            return dot
        if isinstance(node, nodes.Variable):
            return self._variables.lookup(node.names[0])
        if isinstance(node.base, nodes.Nil):
            return None
        value = self._operand(dot, node.base)
        return self._emit.piped(value) if isinstance(node.base, nodes.Pipe) else value

    def _method(
        self,
        value: Value,
        name: str,
        dot: Value,
        args: Sequence[nodes.Operand],
        final: Value | None,
    ) -> Value:
        given = [self.argument(dot, ANY, arg) for arg in args] + ([final] if final else [])
        boxed = ", ".join(self._emit.boxed(arg) for arg in given)
        return self._emit.let(f"call_method({self._emit.boxed(value)}, {name!r}, [{boxed}])")

    # Arguments

    def argument(self, dot: Value, wanted: GoType, node: nodes.Operand) -> Value:
        """Return the value of an argument, before it is checked."""
        if isinstance(node, nodes.Bool | nodes.String | nodes.Number):
            return self._constant(node, ANY if wanted is VALUE else wanted)
        if not isinstance(node, nodes.Nil):
            return self._operand(dot, node)
        if wanted is VALUE:
            return Value("MISSING")
        try:
            validated(MISSING, wanted)
        except FunctionError:
            return self._emit.dead()
        return Value("None")
