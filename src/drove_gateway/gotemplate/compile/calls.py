"""Function calls to Python expressions: what the types tell about Go's functions is used here."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Block, Value, is_plain, literal_text
from drove_gateway.gotemplate.compile.expressions import Expressions, static
from drove_gateway.gotemplate.functions import builtins, comparison, gateway, indexing
from drove_gateway.gotemplate.functions.signatures import VALUE, Function
from drove_gateway.gotemplate.go.types import (
    BOOL,
    INT,
    STRING,
    GoType,
    Kind,
)
from drove_gateway.gotemplate.go.values import raw, zero
from drove_gateway.gotemplate.run import compiled
from drove_gateway.gotemplate.syntax import nodes

_INTEGERS: Final = frozenset({Kind.INT, Kind.UINT})
_BASIC: Final = _INTEGERS | {Kind.STRING, Kind.BOOL, Kind.FLOAT}
_ORDERED: Final[Mapping[Callable[..., object], str]] = {
    comparison.lt: "{} < {}",
    comparison.le: "{} <= {}",
    comparison.gt: "not {} <= {}",
    comparison.ge: "not {} < {}",
}
_PYTHON: Final = {"string": "str", "int": "int", "bool": "bool"}
_VERBS: Final = re.compile(r"%([sdv%])")
_VERB_KINDS: Final = {
    "s": frozenset({Kind.STRING}),
    "d": _INTEGERS,
    "v": _INTEGERS | {Kind.STRING},
}
_WRAPPED: Final[Mapping[Callable[..., object], Callable[..., object]]] = {
    builtins.print_: compiled.print_,
    builtins.printf: compiled.printf,
    builtins.println: compiled.println,
}


_IN_PLACE: Final[Mapping[Callable[..., object], str]] = {
    gateway.has_prefix: "{0}.startswith({1})",
    gateway.has_suffix: "{0}.endswith({1})",
    gateway.contains: "{1} in {0}",
    gateway.replace: "{0}.replace({1}, {2}, {3})",
    gateway.hostport: "('[' + {0} + ']:' if ':' in {0} else {0} + ':') + str({1})",
}
"""The gateway's functions that are one expression in Python too."""

_ACCEPTED: Final = {Kind.INTERFACE: frozenset({Kind.STRING, Kind.INT}), Kind.INT: _INTEGERS}


class Calls(Expressions):
    """Expressions with their function calls."""

    node_number = 0
    """The number under which the run knows the action being compiled."""

    def call(
        self,
        called: Function,
        dot: Value,
        args: Sequence[nodes.Operand],
        final: Value | None,
    ) -> Value:
        count = len(args) + (final is not None)
        if called.wrong_count(count, shown=count) is not None:
            return self.dead()
        if called.lazy:
            return self._short_circuit(called, dot, args, final)
        given = [self.argument(dot, called.param(n), arg) for n, arg in enumerate(args)]
        given += [final] if final is not None else []
        known = self._known_call(called, given)
        return self._call(called, given) if known is None else known

    def _known_call(self, called: Function, given: Sequence[Value]) -> Value | None:
        compared = self.comparison(called, given)
        if compared is not None:
            return Value(self.let(compared).code, BOOL)
        if called.call is builtins.not_:
            return Value(self.let(f"not {self.truth(given[0])}").code, BOOL)
        if called.call is indexing.index and len(given) > 1:
            return self._index(given)
        if called.call is indexing.len_:
            return self._len(given[0])
        if called.call is builtins.printf:
            return self._printf(given)
        return self._in_place(called, given)

    def _in_place(self, called: Function, given: Sequence[Value]) -> Value | None:
        """One of the gateway's functions as an expression, if the types are those it wants."""
        form = _IN_PLACE.get(called.call)
        if form is None or any(value.type is None for value in given):
            return None
        for number, value in enumerate(given):
            kind = called.param(number).kind
            if value.type is None or value.type.kind not in _ACCEPTED.get(kind, {kind}):
                return None
        codes = [value.code for value in given]
        return self._counted(Value(self.let(form.format(*codes)).code, called.result))

    def _counted(self, result: Value) -> Value:
        """A result, with the code that counts it if it is long."""
        if result.type is not None and result.type.kind in {Kind.STRING, Kind.SLICE}:
            spend = f"rt.spend_on({result.code}, {self.node_number})"
            self.block.add(f"if len({result.code}) > 255: {spend}")
        return result

    def _call(self, called: Function, given: Sequence[Value]) -> Value:
        codes = [self.fit(value, called.param(n), called) for n, value in enumerate(given)]
        target = self.names.of(_WRAPPED.get(called.call, called.call), "f")
        code = f"{target}({', '.join(codes)})"
        if called.typed and static(called.result) is not None:
            result = Value(self.let(code).code, called.result)
        else:
            result = self.let(code, called.result)
        return self._counted(result)

    def fit(self, value: Value, wanted: GoType, called: Function) -> str:
        """The code of an argument, with the checks that its type still needs."""
        if wanted is VALUE or (wanted.kind is Kind.INTERFACE and called.typed):
            return self.boxed(value)
        if value.type is not None:
            both_integers = wanted.name == "int" and value.type.kind in _INTEGERS
            if wanted.kind is Kind.INTERFACE or value.type == wanted or both_integers:
                return value.code
            if wanted.kind is not Kind.STRUCT:
                return self.dead().code
        fitting = f"fitting_plain({self.boxed(value)}, {self.names.of(wanted)})"
        python = _PYTHON.get(wanted.name)
        if python is None or value.type is not None:
            return fitting
        return f"({value.code} if type({value.code}) is {python} else {fitting})"

    # Truth

    def truth(self, value: Value) -> str:
        """A Python expression that is true when Go's `if` takes the value as true."""
        if value.type is None:
            return f"({value.code} if type({value.code}) is str else truth({value.code}))"
        return "True" if value.type.kind is Kind.STRUCT else value.code

    def condition(self, dot: Value, pipe: nodes.Pipe) -> str:
        """The truth of a pipeline that declares nothing."""
        command = pipe.commands[0]
        first = command.args[0]
        if len(pipe.commands) > 1 or not isinstance(first, nodes.Identifier):
            return self.truth(self.pipeline(dot, pipe))
        called, args = self.functions[first.name], command.args[1:]
        if called.wrong_count(len(args), shown=0) is None:
            if called.lazy:
                return self._all_or_any(called, dot, args)
            if called.call is builtins.not_:
                return f"not {self._argument_condition(dot, args[0])}"
            given = [self.argument(dot, VALUE, arg) for arg in args]
            compared = self.comparison(called, given)
            if compared is not None:
                return f"({compared})"
        return self.truth(self.pipeline(dot, pipe))

    def _argument_condition(self, dot: Value, arg: nodes.Operand) -> str:
        if isinstance(arg, nodes.Pipe) and not arg.variables:
            with self.within(self.block):
                return self.condition(dot, arg)
        return self.truth(self.argument(dot, VALUE, arg))

    def _all_or_any(self, called: Function, dot: Value, args: Sequence[nodes.Operand]) -> str:
        word = "and" if called.call is operator.not_ else "or"
        codes: list[str] = []
        outer, name = self.block, ""
        for arg in args:
            extra = Block()
            with self.within(extra):
                code = self._argument_condition(dot, arg)
            if not extra.is_empty():
                if codes:  # only to be evaluated if those before leave it open
                    name = name or self.names.fresh()
                    self.block.add(f"{name} = {f' {word} '.join(codes)}")
                    self.block.add(f"if {name}:" if word == "and" else f"if not {name}:")
                    self.block = self.block.indented()
                    codes.clear()
                self.block.adopt(extra)
            codes.append(code)
        joined = f" {word} ".join(codes)
        if not name:
            return f"({joined})"
        self.block.add(f"{name} = {joined}")
        self.block = outer
        return name

    def _short_circuit(
        self, called: Function, dot: Value, args: Sequence[nodes.Operand], final: Value | None
    ) -> Value:
        return self._alike(called, dot, args, final) or self._in_turn(called, dot, args, final)

    def _alike(
        self, called: Function, dot: Value, args: Sequence[nodes.Operand], final: Value | None
    ) -> Value | None:
        """Python's own `and` or `or`, if all values are at hand and of one type."""
        extra = Block()
        with self.within(extra):
            values = [self.argument(dot, VALUE, arg) for arg in args]
        values += [final] if final is not None else []
        known = {value.type for value in values}
        only = known.pop()
        if known or only is None or only.kind not in _BASIC or not extra.is_empty():
            return None
        word = " and " if called.call is operator.not_ else " or "
        return Value(self.let(word.join(value.code for value in values)).code, only)

    def _in_turn(
        self, called: Function, dot: Value, args: Sequence[nodes.Operand], final: Value | None
    ) -> Value:
        name = self.names.fresh()
        outer = self.block
        types: set[GoType | None] = set()
        for arg in args:
            if types:
                self.block = self.block.indented()
            value = self.argument(dot, VALUE, arg)
            self.block.add(f"{name} = {self.boxed(value)}")
            types.add(value.type)
            if arg is not args[-1] or final is not None:
                negation = "" if called.call is operator.not_ else "not "
                self.block.add(f"if {negation}{self.truth(value)}:")
        if final is not None:
            self.block.indented().add(f"{name} = {self.boxed(final)}")
            types.add(final.type)
        self.block = outer
        only = types.pop()
        return Value(name, only if not types and only and is_plain(only) else None)

    # Comparison

    def comparison(self, called: Function, given: Sequence[Value]) -> str | None:
        """An expression for `eq`, `ne`, `lt`, `le`, `gt` or `ge`; `None` for anything else."""
        if called.call is comparison.eq and len(given) > 1:
            return " or ".join(self._equality(given[0], other) for other in given[1:])
        if called.call is comparison.ne:
            return f"not ({self._equality(*given)})"
        form = _ORDERED.get(called.call)
        if form is None:
            return None
        first, second = given
        slow = f"{self.names.of(called.call)}({self.boxed(first)}, {self.boxed(second)})"
        guard = self._guard(first, second, _INTEGERS)
        if guard is None:
            return slow
        fast = form.format(first.code, second.code)
        return f"({fast}) if {guard} else {slow}" if guard else fast

    def _equality(self, first: Value, second: Value) -> str:
        guard = self._guard(first, second, _BASIC)
        fast = f"{first.code} == {second.code}"
        if guard == "":
            return fast
        slow = f"{self.names.of(comparison.eq)}({self.boxed(first)}, {self.boxed(second)})"
        return slow if guard is None else f"({fast} if {guard} else {slow})"

    def _guard(self, first: Value, second: Value, kinds: frozenset[Kind]) -> str | None:
        """When Python's operator may be used: always (""), under a condition, or never (`None`)."""
        known = [value.type for value in (first, second) if value.type is not None]
        if any(found.kind not in kinds for found in known):
            return None
        if len(known) == 2:
            same = known[0].kind is known[1].kind or {known[0].kind, known[1].kind} == _INTEGERS
            return "" if same else None
        if len(known) == 1 and known[0].name in _PYTHON:
            unknown = first if first.type is None else second
            return f"type({unknown.code}) is {_PYTHON[known[0].name]}"
        return None

    # Looking into values

    def _len(self, value: Value) -> Value:
        if value.type is not None and value.type.kind in {Kind.SLICE, Kind.MAP}:
            return Value(self.let(f"len({value.code})").code, INT)
        return Value(self.let(f"length({self.boxed(value)})").code, INT)

    def _index(self, given: Sequence[Value]) -> Value:
        value, *keys = given
        for key in keys:
            value = self._index_once(value, key)
        return value

    def _index_once(self, value: Value, key: Value) -> Value:
        found = value.type
        if found is None and key.type == STRING:
            present = f"{value.code}[{key.code}] if type({value.code}) is dict"
            slow = f"index({value.code}, {key.code})"
            return self.let(f"{present} and {key.code} in {value.code} else {slow}")
        if found is not None and found.kind is Kind.MAP and key.type == STRING:
            return self._index_map(value, found.item, key)
        if found is not None and found.kind is Kind.SLICE and key.type == INT:
            outside = f"not 0 <= {key.code} < len({value.code})"
            self.block.add(f"if {outside}: raise Surprise")
            return self.let(f"{value.code}[{key.code}]", found.item)
        return self.let(f"index({self.boxed(value)}, {self.boxed(key)})")

    def _index_map(self, value: Value, item: GoType, key: Value) -> Value:
        empty = zero(item)
        if item.kind in {Kind.SLICE, Kind.MAP}:
            return self.let(f"{value.code}.get({key.code})", item)
        if static(item) is None or item.kind is Kind.STRUCT:
            code = f"{value.code}.get({key.code}, {self.names.of(empty)})"
            return self.checked(self.let(code).code, None if item.kind is Kind.STRUCT else item)
        return self.let(f"{value.code}.get({key.code}, {raw(empty)!r})", item)

    def _printf(self, given: Sequence[Value]) -> Value | None:
        """An f-string for a format without anything that needs more."""
        form, *args = given
        if not isinstance(form.constant, str):
            return None
        text, *rest = _VERBS.split(form.constant)
        parts = [literal_text(text)]
        for verb, after in zip(rest[::2], rest[1::2], strict=True):
            if verb == "%":
                parts.append("%")
            else:
                arg = args.pop(0) if args else None
                known = arg.type if arg is not None else None
                if arg is None or known is None or known.kind not in _VERB_KINDS[verb]:
                    return None
                plain = isinstance(arg.constant, str | int)
                parts.append(literal_text(str(arg.constant)) if plain else f"{{{arg.code}}}")
            parts.append(literal_text(after))
        if args or "%" in text + "".join(rest[1::2]):
            return None
        return self._counted(Value(self.let(f'f"{"".join(parts)}"').code, STRING))
