"""The conditions of `if` to Python's."""

from collections.abc import Mapping, Sequence

from drove_gateway.gotemplate.compile.codegen import Block, Value
from drove_gateway.gotemplate.compile.comparisons import compared
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.operands import Operands
from drove_gateway.gotemplate.compile.short_circuit import is_and
from drove_gateway.gotemplate.functions import builtins
from drove_gateway.gotemplate.functions.signatures import VALUE, Function
from drove_gateway.gotemplate.syntax import nodes


class Conditions:
    """Compiles pipelines of which only the truth matters."""

    def __init__(
        self, emitter: Emitter, operands: Operands, functions: Mapping[str, Function]
    ) -> None:
        self._emit = emitter
        self._operands = operands
        self._functions = functions

    def condition(self, dot: Value, pipe: nodes.Pipe) -> str:
        """Return the truth of a pipeline that declares nothing, as a Python expression."""
        command = pipe.commands[0]
        first = command.args[0]
        if len(pipe.commands) == 1 and isinstance(first, nodes.Identifier):
            known = self._call(dot, self._functions[first.name], command.args[1:])
            if known is not None:
                return known
        return self._operands.pipeline(dot, pipe).truth

    def _call(self, dot: Value, called: Function, args: Sequence[nodes.Operand]) -> str | None:
        """Return the truth of `and`, `or`, `not` or a comparison."""
        if called.wrong_count(len(args), shown=0) is not None:
            return None
        if called.lazy:
            return self._all_or_any(called, dot, args)
        if called.call is builtins.not_:
            return f"not {self._argument(dot, args[0])}"
        given = [self._operands.argument(dot, VALUE, arg) for arg in args]
        comparison = compared(self._emit, called, given)
        return None if comparison is None else f"({comparison})"

    def _argument(self, dot: Value, arg: nodes.Operand) -> str:
        if isinstance(arg, nodes.Pipe) and not arg.variables:
            with self._emit.within(self._emit.block):
                return self.condition(dot, arg)
        return self._operands.argument(dot, VALUE, arg).truth

    def _all_or_any(self, called: Function, dot: Value, args: Sequence[nodes.Operand]) -> str:
        emit = self._emit
        word = "and" if is_and(called) else "or"
        codes: list[str] = []
        name = ""
        with emit.into(emit.block):
            for arg in args:
                extra = Block()
                with emit.within(extra):
                    code = self._argument(dot, arg)
                if not extra.is_empty():
                    if codes:  # only to be evaluated if the arguments before leave it open
                        name = name or emit.names.fresh()
                        emit.add(f"{name} = {f' {word} '.join(codes)}")
                        emit.add(f"if {name}:" if word == "and" else f"if not {name}:")
                        emit.block = emit.block.indented()
                        codes.clear()
                    emit.block.adopt(extra)
                codes.append(code)
            joined = f" {word} ".join(codes)
            if name:
                emit.add(f"{name} = {joined}")
        return name or f"({joined})"
