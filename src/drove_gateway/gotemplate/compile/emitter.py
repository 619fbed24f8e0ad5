"""Emits the lines of a Python function, within blocks and scopes that follow the template's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Block, Names, Value
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.compile.static_types import (
    CONTAINERS,
    PYTHON_TYPES,
    is_plain,
    static,
)
from drove_gateway.gotemplate.go.types import GoType, Kind

MAX_NESTING: Final = 40
"""How deep pipelines and actions may nest to be compiled; Python has limits of its own."""


@dataclass(slots=True)
class Scope:
    """What is known inside a block: its variables, and the fields that were read there."""

    variables: dict[str, Value] = field(default_factory=dict)
    read: dict[tuple[str, str], Value] = field(default_factory=dict)


class Emitter:
    """Emits code into `block`. `scopes` are those of the blocks around it, the innermost last."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.block = Block()
        self.scopes = [Scope()]
        self._nesting = 0

    def enter(self) -> None:
        """Count a level of nesting. Raises `NotCompilableError` where there are too many."""
        if self._nesting >= MAX_NESTING:
            raise NotCompilableError(f"actions and parentheses nest more than {MAX_NESTING} deep")
        self._nesting += 1

    def leave(self) -> None:
        """Leave a level of nesting."""
        self._nesting -= 1

    @contextmanager
    def within(self, block: Block) -> Iterator[None]:
        """Emit into another block, with a scope of its own."""
        self.enter()
        outer, self.block = self.block, block
        self.scopes.append(Scope())
        yield
        self.scopes.pop()
        self.block = outer
        self.leave()

    @contextmanager
    def into(self, block: Block) -> Iterator[None]:
        """Emit into another block, in the same scope."""
        outer, self.block = self.block, block
        yield
        self.block = outer

    def add(self, line: str) -> None:
        self.block.add(line)

    def let(self, code: str, declared: GoType | None = None) -> Value:
        """Give an expression a name. With a type, the code makes sure that it has that type."""
        name = self.names.fresh()
        self.add(f"{name} = {code}")
        return self.checked(name, declared)

    def dead(self) -> Value:
        """Emit what can only be an error; the interpreter words it."""
        self.add("raise Surprise")
        return Value("MISSING")

    def checked(self, name: str, declared: GoType | None) -> Value:
        """Return the value of a name, with code that makes sure of its type where `static` does."""
        known = static(declared)
        if known is None:
            if declared is None or declared.kind is Kind.INTERFACE:
                return Value(name)
            boxed = self.names.fresh()
            self.add(f"{boxed} = box({name}, {self.names.of(declared)})")
            return Value(boxed)
        code, source = name, None
        if known.kind in CONTAINERS:
            code, source = self.names.fresh(), name
            exact, otherwise = CONTAINERS[known.kind]
            self.add(f"{code} = {name} if type({name}) is {exact} else {otherwise}({name})")
        else:
            python = PYTHON_TYPES.get(known.kind) or self.names.of(known.cls)
            self.add(f"if type({name}) is not {python}: raise NotDeclared({known.name!r})")
        return Value(code, known, self.block.slot(), source)

    def boxed(self, value: Value) -> str:
        """Return the code of a value as it travels."""
        if value.type is None or value.is_constant or is_plain(value.type):
            return value.code
        declared = self.names.of(value.type)
        if value.source is not None:
            return f"box({value.source}, {declared})"
        return f"Typed({value.code}, {declared})"

    def piped(self, value: Value) -> Value:
        """Return a value that leaves its pipeline: nil is then the same as missing."""
        if value.type is not None or value.code == "MISSING":
            return value
        return self.let(f"MISSING if {value.code} is None else {value.code}")

    def settled(self, value: Value) -> Value:
        """Return the value as it is now, if its name may later stand for another value."""
        if not value.is_variable:
            return value
        source = None if value.source is None else self.let(value.source).code
        return replace(self.let(value.code), type=value.type, source=source)
