"""`and` and `or` as values: no more arguments are evaluated than decide the result."""

import operator
from collections.abc import Sequence

from drove_gateway.gotemplate.compile.codegen import Block, Value
from drove_gateway.gotemplate.compile.comparisons import BASIC
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.operands import Operands
from drove_gateway.gotemplate.compile.static_types import is_plain
from drove_gateway.gotemplate.functions.signatures import VALUE, Function
from drove_gateway.gotemplate.go.types import GoType
from drove_gateway.gotemplate.syntax import nodes


def is_and(called: Function) -> bool:
    """Whether a function is `and`, and not `or`."""
    return called.call is operator.not_


class ShortCircuit:
    """Compiles `and` and `or`."""

    def __init__(self, emitter: Emitter, operands: Operands) -> None:
        self._emit = emitter
        self._operands = operands

    def value(
        self, called: Function, dot: Value, args: Sequence[nodes.Operand], final: Value | None
    ) -> Value:
        """Return the argument that decides; `final` is the value that is piped in."""
        return self._at_once(called, dot, args, final) or self._in_turn(called, dot, args, final)

    def _at_once(
        self, called: Function, dot: Value, args: Sequence[nodes.Operand], final: Value | None
    ) -> Value | None:
        """Use Python's own `and` or `or`, if all values are at hand and of the same type."""
        extra = Block()
        with self._emit.within(extra):
            values = [self._operands.argument(dot, VALUE, arg) for arg in args]
        values += [final] if final is not None else []
        types = {value.type for value in values}
        common = types.pop()
        if types or common is None or common.kind not in BASIC or not extra.is_empty():
            return None
        word = " and " if is_and(called) else " or "
        return Value(self._emit.let(word.join(value.code for value in values)).code, common)

    def _in_turn(
        self, called: Function, dot: Value, args: Sequence[nodes.Operand], final: Value | None
    ) -> Value:
        """Evaluate the arguments in nested `if`s."""
        emit = self._emit
        name = emit.names.fresh()
        types: set[GoType | None] = set()
        with emit.into(emit.block):
            for arg in args:
                if types:
                    emit.block = emit.block.indented()
                value = self._operands.argument(dot, VALUE, arg)
                emit.add(f"{name} = {emit.boxed(value)}")
                types.add(value.type)
                if arg is not args[-1] or final is not None:
                    negation = "" if is_and(called) else "not "
                    emit.add(f"if {negation}{value.truth}:")
            if final is not None:
                emit.block.indented().add(f"{name} = {emit.boxed(final)}")
                types.add(final.type)
        common = types.pop()
        return Value(name, common if not types and common and is_plain(common) else None)
