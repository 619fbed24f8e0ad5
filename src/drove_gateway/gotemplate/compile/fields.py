"""Fields and map entries to Python: each is read once where it can be."""

import keyword

from drove_gateway.gotemplate.compile.codegen import Block, Value
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.static_types import is_plain
from drove_gateway.gotemplate.go.structs import field_types
from drove_gateway.gotemplate.go.types import GoType, Kind


class Fields:
    """Emits code that reads fields."""

    def __init__(self, emitter: Emitter) -> None:
        self._emit = emitter

    def field(self, value: Value, name: str) -> Value:
        """Return `value.name`."""
        known = value.loaded.get(name) or self._struct_field(value, name)
        if known is not None:
            return known
        for scope in self._emit.scopes:
            if (value.code, name) in scope.read:
                return scope.read[value.code, name]
        found = self._read(value, name)
        if not value.is_variable:
            self._emit.scopes[-1].read[value.code, name] = found
        return found

    def _struct_field(self, value: Value, name: str) -> Value | None:
        """Return a declared field of a struct, read right after the struct was."""
        if value.type is None or value.type.kind is not Kind.STRUCT:
            return None
        declared = field_types(value.type.cls or object).get(name)
        if declared is None:
            return None
        found = self._load(value, value.slot or self._emit.block, *declared)
        if value.slot is not None:
            value.loaded[name] = found
        return found

    def _load(self, value: Value, slot: Block, attribute: str, declared: GoType) -> Value:
        usable = attribute.isidentifier() and not keyword.iskeyword(attribute)
        code = f"{value.code}.{attribute}" if usable else f"getattr({value.code}, {attribute!r})"
        outer, self._emit.block = self._emit.block, slot
        found = self._emit.let(code, declared)
        self._emit.block = outer
        return found

    def _read(self, value: Value, name: str) -> Value:
        found, code = value.type, value.code
        if found is None:
            present = f"{code}[{name!r}] if type({code}) is dict and {name!r} in {code}"
            return self._emit.let(f"{present} else select({code}, {name!r})")
        if found.kind is Kind.MAP and is_plain(found.item):
            return self._emit.let(f"{code}.get({name!r}, MISSING)")
        if found.kind in {Kind.MAP, Kind.STRUCT}:
            return self._emit.let(f"select({self._emit.boxed(value)}, {name!r})")
        return self._emit.dead()
