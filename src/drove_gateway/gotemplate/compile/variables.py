"""The template's variables. A variable that is assigned to keeps its type where that is known."""

from drove_gateway.gotemplate.compile.codegen import Value
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.errors import ManyTypesError
from drove_gateway.gotemplate.compile.static_types import CONTAINERS
from drove_gateway.gotemplate.syntax import nodes


class Variables:
    """Declares variables in the emitter's scopes, and assigns to them."""

    def __init__(self, emitter: Emitter, mutable: frozenset[str], untyped: frozenset[str]) -> None:
        """`mutable` are the variables that the template assigns to after their declaration.

        `untyped` are those of them that are known to get values of different types.
        """
        self._emit = emitter
        self._mutable = mutable
        self._untyped = untyped

    def bind(self, pipe: nodes.Pipe, *values: Value) -> None:
        """Give the variables of a pipeline these values, or all of them the only value.

        Raises `ManyTypesError` where a variable with a known type gets a value of another type.
        """
        give = self._assign if pipe.assigns else self.declare
        for number, variable in enumerate(pipe.variables):
            give(variable.names[0], values[min(number, len(values) - 1)])

    def lookup(self, name: str) -> Value | None:
        """Return the value of the variable that is visible under a name."""
        for scope in reversed(self._emit.scopes):
            if name in scope.variables:
                return scope.variables[name]
        return None

    def declare(self, name: str, value: Value) -> None:
        """Make a variable in the innermost scope."""
        variables = self._emit.scopes[-1].variables
        if name not in self._mutable:
            variables[name] = self._emit.settled(value)
            return
        known = None if name in self._untyped else value.type
        fresh = self._emit.names.fresh
        source = fresh("m") if known and known.kind in CONTAINERS else None
        local = Value(fresh("m"), known, source=source)
        self._set(local, value)
        variables[name] = local

    def _assign(self, name: str, value: Value) -> None:
        known = self.lookup(name)
        if known is None:
            self._emit.dead()
            return
        if known.type is not None and known.type != value.type:
            raise ManyTypesError(name)
        self._set(known, value)

    def _set(self, local: Value, value: Value) -> None:
        if local.type is None:
            self._emit.add(f"{local.code} = {self._emit.boxed(value)}")
            return
        self._emit.add(f"{local.code} = {value.code}")
        if local.source is not None:
            self._emit.add(f"{local.source} = {value.source or value.code}")
