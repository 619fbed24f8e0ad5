"""Fields, map entries and methods without arguments: what `.Name` means for a value."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from drove_gateway.gotemplate.go.structs import field_types
from drove_gateway.gotemplate.go.types import ANY, GoType, Kind
from drove_gateway.gotemplate.go.values import MISSING, box, field, method, raw, type_of
from drove_gateway.gotemplate.run.arguments import Interface, bare, in_place
from drove_gateway.gotemplate.run.frame import Frame
from drove_gateway.gotemplate.run.invocation import Invocation
from drove_gateway.gotemplate.syntax import nodes


class Selection:
    """Looks into values for a frame."""

    def __init__(self, frame: Frame, invocation: Invocation) -> None:
        self._frame = frame
        self._invocation = invocation

    def chain(self, receiver: object, names: Sequence[str], node: nodes.Operand) -> object:
        """Return `receiver.A.B…`."""
        for name in names:
            receiver = self.field(name, node, receiver, has_args=False)
        return receiver

    def field(self, name: str, node: nodes.Operand, receiver: object, *, has_args: bool) -> object:
        """Return `receiver.name`; with arguments, which only methods take, there is none."""
        if receiver is MISSING:
            return MISSING
        declared = ANY if isinstance(receiver, Interface) else None
        receiver = bare(receiver)
        if receiver is MISSING:
            self._frame.fail(f"nil pointer evaluating {ANY.name}.{name}")
        bound = method(receiver, name)
        if bound is not None:
            return self._invocation.invoke_method(receiver, name, node, bound)
        found = type_of(receiver)
        shown = (declared or found).name
        if found.kind is Kind.STRUCT:
            return self._struct_field(receiver, name, has_args=has_args, shown=shown)
        if found.kind is Kind.MAP and (found.key or ANY).kind in {Kind.STRING, Kind.INTERFACE}:
            return self._map_entry(receiver, name, found.item, has_args=has_args)
        return self._frame.fail(f"can't evaluate field {name} in type {shown}")

    def _struct_field(self, receiver: object, name: str, *, has_args: bool, shown: str) -> object:
        value = field(receiver, name)
        if value is MISSING:
            self._frame.fail(f"can't evaluate field {name} in type {shown}")
        if has_args:
            self._frame.fail(f"{name} has arguments but cannot be invoked as function")
        cls: Any = type(receiver)
        _, declared = field_types(cls).get(name, ("", None))
        return value if declared is None else in_place(value, declared)

    def _map_entry(self, receiver: object, name: str, item: GoType, *, has_args: bool) -> object:
        if has_args:
            self._frame.fail(f"{name} is not a method but has arguments")
        entries = cast("Mapping[object, object]", raw(receiver))
        return in_place(box(entries[name], item), item) if name in entries else MISSING
