"""Pipelines to Python expressions.

Code is only emitted for what can be right: where a template is certainly wrong, the code raises
`Surprise`, and the interpreter words the error.
"""

import keyword
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Block, Names, Value, is_plain
from drove_gateway.gotemplate.compile.errors import ManyTypesError, NotCompilableError
from drove_gateway.gotemplate.errors import FunctionError
from drove_gateway.gotemplate.functions.signatures import VALUE, Function
from drove_gateway.gotemplate.go.types import ANY, BYTE_SLICE, GoType, Kind
from drove_gateway.gotemplate.go.values import MISSING, field_types, type_of
from drove_gateway.gotemplate.run.arguments import constant, ideal, validated
from drove_gateway.gotemplate.run.limits import LONG_TEXT, is_long
from drove_gateway.gotemplate.syntax import nodes

MAX_NESTING: Final = 40
"""How deep pipelines and actions may nest to be compiled; Python has limits of its own."""

_PYTHON_TYPES: Final = {
    Kind.STRING: "str",
    Kind.BOOL: "bool",
    Kind.INT: "int",
    Kind.UINT: "int",
    Kind.FLOAT: "float",
}
_NUMBERS: Final = frozenset({Kind.INT, Kind.UINT})


class Expressions:
    """Compiles the pipelines of one template for one type of dot."""

    def __init__(
        self,
        names: Names,
        functions: Mapping[str, Function],
        mutable: frozenset[str],
        untyped: frozenset[str],
    ) -> None:
        """`mutable` are the variables that the template assigns to after their declaration.

        `untyped` are those of them that are known to get values of different types.
        """
        self.names = names
        self.functions = functions
        self.mutable = mutable
        self.untyped = untyped
        self.block = Block()
        self.scopes: list[dict[str, Value]] = [{}]
        self._read: list[dict[tuple[str, str], Value]] = [{}]
        self._nesting = 0

    # Blocks and scopes

    @contextmanager
    def within(self, block: Block) -> Iterator[None]:
        """Emits into another block; variables declared meanwhile end with it."""
        if self._nesting >= MAX_NESTING:
            raise NotCompilableError(f"actions and parentheses nest more than {MAX_NESTING} deep")
        outer, self.block = self.block, block
        self._nesting += 1
        self.scopes.append({})
        self._read.append({})
        yield
        self._read.pop()
        self.scopes.pop()
        self._nesting -= 1
        self.block = outer

    def let(self, code: str, declared: GoType | None = None) -> Value:
        """A name for an expression. With a type, the code makes sure that it has that type."""
        name = self.names.fresh()
        self.block.add(f"{name} = {code}")
        return self.checked(name, declared)

    def dead(self) -> Value:
        """For what can only be an error."""
        self.block.add("raise Surprise")
        return Value("MISSING")

    def checked(self, name: str, declared: GoType | None) -> Value:
        """The value of a name that should have a type; see `static` for those that are used."""
        known = static(declared)
        if known is None:
            if declared is None or declared.kind is Kind.INTERFACE:
                return Value(name)
            boxed = self.names.fresh()
            self.block.add(f"{boxed} = box({name}, {self.names.of(declared)})")
            return Value(boxed)
        made, source = name, None
        if known.kind in {Kind.SLICE, Kind.MAP}:
            made, source = self.names.fresh(), name
            exact, otherwise = _CONTAINERS[known.kind]
            self.block.add(f"{made} = {name} if type({name}) is {exact} else {otherwise}({name})")
        else:
            python = _PYTHON_TYPES.get(known.kind) or self.names.of(known.cls)
            self.block.add(f"if type({name}) is not {python}: raise NotDeclared({known.name!r})")
        return Value(made, known, self.block.slot(), source)

    def boxed(self, value: Value) -> str:
        """The code of a value as it travels."""
        if value.type is None or value.is_constant or is_plain(value.type):
            return value.code
        declared = self.names.of(value.type)
        if value.source is not None:
            return f"box({value.source}, {declared})"
        return f"Typed({value.code}, {declared})"

    # Variables

    def declare(self, name: str, value: Value) -> None:
        if name not in self.mutable:
            self.scopes[-1][name] = self.settled(value)
            return
        known = None if name in self.untyped else value.type
        source = self.names.fresh("m") if known and known.kind in _CONTAINERS else None
        local = Value(self.names.fresh("m"), known, source=source)
        self._set(local, value)
        self.scopes[-1][name] = local

    def _set(self, local: Value, value: Value) -> None:
        if local.type is None:
            self.block.add(f"{local.code} = {self.boxed(value)}")
            return
        self.block.add(f"{local.code} = {value.code}")
        if local.source is not None:
            self.block.add(f"{local.source} = {value.source or value.code}")

    def settled(self, value: Value) -> Value:
        """The value as it is now, if its name may later stand for another."""
        if not value.is_variable:
            return value
        source = None if value.source is None else self.let(value.source).code
        return replace(self.let(value.code), type=value.type, source=source)

    def assign(self, name: str, value: Value) -> None:
        known = self.lookup(name)
        if known is None:
            self.dead()
            return
        if known.type is not None and known.type != value.type:
            raise ManyTypesError(name)
        self._set(known, value)

    def lookup(self, name: str) -> Value | None:
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    # Pipelines

    def pipeline(self, dot: Value, pipe: nodes.Pipe) -> Value:
        """A pipeline that declares nothing."""
        if pipe.variables:
            raise NotCompilableError("a variable is declared or assigned inside parentheses")
        if self._nesting >= MAX_NESTING:
            raise NotCompilableError(f"actions and parentheses nest more than {MAX_NESTING} deep")
        self._nesting += 1
        value = self.commands(dot, pipe)
        self._nesting -= 1
        return value

    def commands(self, dot: Value, pipe: nodes.Pipe) -> Value:
        value: Value | None = None
        for command in pipe.commands:
            value = self.command(dot, command, value)
        return value or self.dead()

    def piped(self, value: Value) -> Value:
        """A value that leaves its pipeline: what is nil is then the same as what is missing."""
        if value.type is not None or value.code == "MISSING":
            return value
        return self.let(f"MISSING if {value.code} is None else {value.code}")

    def command(self, dot: Value, command: nodes.Command, final: Value | None) -> Value:
        first, *args = command.args
        if isinstance(first, nodes.Identifier):
            return self.call(self.functions[first.name], dot, args, final)
        if isinstance(first, nodes.Field | nodes.Variable | nodes.Chain):
            return self.selection(dot, first, args, final)
        if args or final is not None:
            return self.dead()
        return self.operand(dot, first)

    def operand(self, dot: Value, node: nodes.Operand) -> Value:
        match node:
            case nodes.Dot():
                return dot
            case nodes.Pipe():
                return self.pipeline(dot, node)
            case nodes.Identifier():
                return self.call(self.functions[node.name], dot, [], None)
            case nodes.Field() | nodes.Variable() | nodes.Chain():
                return self.selection(dot, node, [], None)
            case nodes.Nil():
                return self.dead()
        return self.constant(node, ANY)

    def constant(self, node: nodes.Operand, wanted: GoType) -> Value:
        try:
            found = ideal(node) if wanted is ANY else constant(node, wanted)
        except FunctionError:
            return self.dead()
        return self.constant_value(found)

    def constant_value(self, found: object) -> Value:
        if isinstance(found, str) and is_long(found):
            raise NotCompilableError(f"a string constant has more than {LONG_TEXT} characters")
        if isinstance(found, str | bool | int):
            return Value(repr(found), type_of(found), constant=found)
        return Value(self.names.of(found), None if found is MISSING else type_of(found))

    # Fields

    def selection(
        self,
        dot: Value,
        node: nodes.Field | nodes.Variable | nodes.Chain,
        args: Sequence[nodes.Operand],
        final: Value | None,
    ) -> Value:
        names = node.names
        if isinstance(node, nodes.Field):
            value: Value | None = dot
        elif isinstance(node, nodes.Variable):
            value, names = self.lookup(names[0]), names[1:]
        elif isinstance(node.base, nodes.Nil):
            value = None
        else:
            value = self.operand(dot, node.base)
            value = self.piped(value) if isinstance(node.base, nodes.Pipe) else value
        if value is None:
            return self.dead()
        given = bool(args) or final is not None
        for name in names[:-1] if given else names:
            value = self.field(value, name)
        if not given:
            return value
        return self.method(value, names[-1], dot, args, final) if names else self.dead()

    def method(
        self,
        value: Value,
        name: str,
        dot: Value,
        args: Sequence[nodes.Operand],
        final: Value | None,
    ) -> Value:
        given = [self.argument(dot, ANY, arg) for arg in args] + ([final] if final else [])
        boxed = ", ".join(self.boxed(arg) for arg in given)
        return self.let(f"call_method({self.boxed(value)}, {name!r}, [{boxed}])")

    def field(self, value: Value, name: str) -> Value:
        """`value.name`, read once where it can be."""
        known = value.loaded.get(name)
        if known is not None:
            return known
        if value.type is not None and value.type.kind is Kind.STRUCT:
            declared = field_types(value.type.cls or object).get(name)
            if declared is not None:
                found = self._load(value, value.slot or self.block, *declared)
                if value.slot is not None:
                    value.loaded[name] = found
                return found
        for read in self._read:
            if (value.code, name) in read:
                return read[value.code, name]
        found = self._field_in_place(value, name)
        if not value.is_variable:
            self._read[-1][value.code, name] = found
        return found

    def _load(self, value: Value, slot: Block, attribute: str, declared: GoType) -> Value:
        outer, self.block = self.block, slot
        usable = attribute.isidentifier() and not keyword.iskeyword(attribute)
        code = f"{value.code}.{attribute}" if usable else f"getattr({value.code}, {attribute!r})"
        found = self.let(code, declared)
        self.block = outer
        return found

    def _field_in_place(self, value: Value, name: str) -> Value:
        found = value.type
        code = value.code
        if found is None:
            present = f"{code}[{name!r}] if type({code}) is dict and {name!r} in {code}"
            return self.let(f"{present} else select({code}, {name!r})")
        if found.kind is Kind.MAP and is_plain(found.item):
            return self.let(f"{code}.get({name!r}, MISSING)")
        if found.kind in {Kind.MAP, Kind.STRUCT}:
            return self.let(f"select({self.boxed(value)}, {name!r})")
        return self.dead()

    # Arguments

    def argument(self, dot: Value, wanted: GoType, node: nodes.Operand) -> Value:
        """The value of an argument, before it is checked."""
        if isinstance(node, nodes.Bool | nodes.String | nodes.Number):
            return self.constant(node, ANY if wanted is VALUE else wanted)
        if not isinstance(node, nodes.Nil):
            return self.operand(dot, node)
        if wanted is VALUE:
            return Value("MISSING")
        try:
            validated(MISSING, wanted)
        except FunctionError:
            return self.dead()
        return Value("None")

    def call(
        self,
        called: Function,
        dot: Value,
        args: Sequence[nodes.Operand],
        final: Value | None,
    ) -> Value:
        raise NotImplementedError


_CONTAINERS: Final = {
    Kind.SLICE: ("tuple", "as_sequence"),
    Kind.MAP: ("dict", "as_dict"),
}


def static(declared: GoType | None) -> GoType | None:
    """A type, if code that relies on it is worth while; the others are handled at run time."""
    if declared is None or declared == BYTE_SLICE:
        return None
    if declared.kind is Kind.MAP:
        return declared if declared.key is not None and declared.key.name == "string" else None
    if declared.kind in {Kind.SLICE, Kind.STRUCT}:
        return declared
    return declared if declared.kind in _PYTHON_TYPES else None
