"""Function calls to Python expressions."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from drove_gateway.gotemplate.compile import inline
from drove_gateway.gotemplate.compile.codegen import Value
from drove_gateway.gotemplate.compile.comparisons import compared
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.operands import Operands
from drove_gateway.gotemplate.compile.short_circuit import ShortCircuit
from drove_gateway.gotemplate.compile.static_types import INTEGERS, static
from drove_gateway.gotemplate.functions import builtins, indexing
from drove_gateway.gotemplate.functions.signatures import VALUE, Function
from drove_gateway.gotemplate.go.types import BOOL, GoType, Kind
from drove_gateway.gotemplate.run import compiled
from drove_gateway.gotemplate.syntax import nodes

_PYTHON: Final = {"string": "str", "int": "int", "bool": "bool"}
_WRAPPED: Final[Mapping[Callable[..., object], Callable[..., object]]] = {
    builtins.print_: compiled.print_,
    builtins.printf: compiled.printf,
    builtins.println: compiled.println,
}


class Calls:
    """Compiles function calls. `node_number` is the number that the run knows the template by."""

    def __init__(self, emitter: Emitter, operands: Operands, node_number: int) -> None:
        self._emit = emitter
        self._operands = operands
        self._short_circuit = ShortCircuit(emitter, operands)
        self._node_number = node_number

    def call(
        self,
        called: Function,
        dot: Value,
        args: Sequence[nodes.Operand],
        final: Value | None,
    ) -> Value:
        """Return the result of a call; `final` is the value that is piped in."""
        count = len(args) + (final is not None)
        if called.wrong_count(count, shown=count) is not None:
            return self._emit.dead()
        if called.lazy:
            return self._short_circuit.value(called, dot, args, final)
        given = [self._operands.argument(dot, called.param(n), arg) for n, arg in enumerate(args)]
        given += [final] if final is not None else []
        return self._known_call(called, given) or self._call(called, given)

    def _known_call(self, called: Function, given: Sequence[Value]) -> Value | None:
        """Return the result of a function for which there is better code than a call."""
        comparison = compared(self._emit, called, given)
        if comparison is not None:
            return Value(self._emit.let(comparison).code, BOOL)
        if called.call is builtins.not_:
            return Value(self._emit.let(f"not {given[0].truth}").code, BOOL)
        if called.call is indexing.index and len(given) > 1:
            return inline.indexed(self._emit, given)
        if called.call is indexing.len_:
            return inline.length(self._emit, given[0])
        is_printf = called.call is builtins.printf
        code = inline.formatted(given) if is_printf else inline.expression(called, given)
        if code is None:
            return None
        return self._counted(Value(self._emit.let(code).code, called.result))

    def _call(self, called: Function, given: Sequence[Value]) -> Value:
        codes = [self._fit(value, called.param(n), called) for n, value in enumerate(given)]
        target = self._emit.names.of(_WRAPPED.get(called.call, called.call), "f")
        code = f"{target}({', '.join(codes)})"
        if called.typed and static(called.result) is not None:
            result = Value(self._emit.let(code).code, called.result)
        else:
            result = self._emit.let(code, called.result)
        return self._counted(result)

    def _counted(self, result: Value) -> Value:
        """Return a result, with code that counts it if it is long."""
        if result.kind in {Kind.STRING, Kind.SLICE}:
            spend = f"rt.spend_on({result.code}, {self._node_number})"
            self._emit.add(f"if len({result.code}) > 255: {spend}")
        return result

    def _fit(self, value: Value, wanted: GoType, called: Function) -> str:
        """Return the code of an argument, with the checks that its type still needs."""
        if wanted is VALUE or (wanted.kind is Kind.INTERFACE and called.typed):
            return self._emit.boxed(value)
        if value.type is not None:
            both_integers = wanted.name == "int" and value.type.kind in INTEGERS
            if wanted.kind is Kind.INTERFACE or value.type == wanted or both_integers:
                return value.code
            if wanted.kind is not Kind.STRUCT:
                return self._emit.dead().code
        fitting = f"fitting_plain({self._emit.boxed(value)}, {self._emit.names.of(wanted)})"
        python = _PYTHON.get(wanted.name)
        if python is None or value.type is not None:
            return fitting
        return f"({value.code} if type({value.code}) is {python} else {fitting})"
