"""`range` to Python's `for`."""

from collections.abc import Callable
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Value
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.compile.output import Output
from drove_gateway.gotemplate.compile.reuse import Reuse, read_from_outside
from drove_gateway.gotemplate.compile.static_types import INTEGERS
from drove_gateway.gotemplate.compile.tree_facts import has_break
from drove_gateway.gotemplate.compile.variables import Variables
from drove_gateway.gotemplate.go.types import INT, STRING, GoType, Kind
from drove_gateway.gotemplate.syntax import nodes

MAX_LOOPS: Final = 15
_WRITTEN_PARTS: Final = 1024

Body = Callable[[Value, nodes.Body], None]


class Loops:
    """Compiles loops; `body` compiles what they contain."""

    def __init__(
        self,
        emitter: Emitter,
        output: Output,
        variables: Variables,
        body: Body,
        node_number: Callable[[nodes.Node], int],
        *,
        reuse: bool,
    ) -> None:
        self._emit = emitter
        self._output = output
        self._variables = variables
        self._body = body
        self._node_number = node_number
        self._reuse = reuse
        self._depth = 0

    def loop(self, dot: Value, item: nodes.Range, value: Value) -> None:
        """Emit a loop over a value, or the `else` of the `range` where the value is empty."""
        if self._depth >= MAX_LOOPS:
            raise NotCompilableError(f"loops nest more than {MAX_LOOPS} deep")
        if item.otherwise and has_break(item.otherwise):
            raise NotCompilableError("the `else` of a `range` contains a `break`")
        sequence = self._sequence(value, len(item.pipe.variables))
        if item.otherwise is None:
            self._for(item, value, sequence)
            return
        self._emit.add(f"if {sequence}:")
        with self._output.inside(self._emit.block.indented()):
            self._for(item, value, sequence)
        self._emit.add("else:")
        with self._output.inside(self._emit.block.indented()):
            self._body(dot, item.otherwise)

    def _sequence(self, value: Value, variables: int) -> str:
        """Return what Python's `for` goes over."""
        if value.kind is Kind.SLICE:
            return value.code
        if value.kind is Kind.MAP:
            return self._emit.let(f"in_order({value.code})").code
        if value.kind is None:
            called = "range_pairs" if variables == 2 else "range_elements"
            return self._emit.let(f"{called}({self._emit.boxed(value)})").code
        if value.kind in INTEGERS and variables < 2:
            return self._emit.let(f"range({value.code})").code
        return self._emit.dead().code

    def _for(self, item: nodes.Range, value: Value, sequence: str) -> None:
        emit, number = self._emit, self._node_number(item)
        leaves_early = has_break(item.body)
        if not leaves_early:
            emit.add(f"rt.spend(len({sequence}), {number})")
        index, element = emit.names.fresh("i"), emit.names.fresh("e")
        pairs = len(item.pipe.variables) == 2
        reusable = self._reuse and not self._depth and value.kind is Kind.MAP and not leaves_early
        loop = Reuse(number, index, element, before=emit.block.slot())
        self._depth += 1
        emit.add(f"for {_target(value.kind, pairs, index, element, sequence)}:")
        with self._output.inside(emit.block.indented()):
            if leaves_early:
                emit.add(f"rt.spend(1, {number})")
            emit.add(f"if len(out) > {_WRITTEN_PARTS}: rt.flush(out, {number})")
            if value.kind is Kind.MAP:
                emit.add(f"{element} = {value.code}[{index}]")
            loop.head, first = emit.block.slot(), emit.names.fresh()
            with emit.into(emit.block.slot()):
                found = self._element(value, element)
                key = Value(index, _key_type(value.kind))
                self._variables.bind(item.pipe, *([key, found] if pairs else [found]))
                self._body(found, item.body)
                self._output.flush()
                lines = [*emit.block.lines()] if reusable else []
            loop.tail = emit.block.slot()
        self._depth -= 1
        loop.after = emit.block.slot()
        if reusable:
            loop.emit(read_from_outside(lines, emit.names.globals, first, {index, element}))

    def _element(self, value: Value, name: str) -> Value:
        if value.type is None:
            return Value(name)
        if value.kind in {Kind.SLICE, Kind.MAP}:
            return self._emit.checked(name, value.type.item)
        return Value(name, value.type)


def _key_type(kind: Kind | None) -> GoType | None:
    if kind is Kind.MAP:
        return STRING
    return INT if kind is Kind.SLICE else None


def _target(kind: Kind | None, pairs: bool, index: str, element: str, sequence: str) -> str:
    if kind is Kind.MAP:
        return f"{index} in {sequence}"
    if kind is Kind.SLICE and pairs:
        return f"{index}, {element} in enumerate({sequence})"
    return f"{index}, {element} in {sequence}" if pairs else f"{element} in {sequence}"
