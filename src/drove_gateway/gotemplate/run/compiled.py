"""Functions that compiled code calls, and the state of its execution.

Whenever something is not as the compiler assumed, or the template is wrong, any exception will do:
`Template.render` then leaves the template to the interpreter, which returns the right text or
raises the right error. `Surprise` is raised on purpose.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Sized
from typing import Any, Final

from drove_gateway.gotemplate.functions import indexing
from drove_gateway.gotemplate.functions.builtins import truth
from drove_gateway.gotemplate.functions.signatures import Function, method_function
from drove_gateway.gotemplate.go.format import sprint, sprintf, sprintln, text
from drove_gateway.gotemplate.go.types import ANY, GoType, Kind
from drove_gateway.gotemplate.go.values import (
    MISSING,
    Typed,
    box,
    elements,
    encode,
    entries,
    field,
    field_types,
    method,
    raw,
    type_of,
)
from drove_gateway.gotemplate.run.arguments import bare, validated
from drove_gateway.gotemplate.run.limits import LONG_TEXT, Budget, LimitError, is_long, is_wide
from drove_gateway.gotemplate.run.passes import PassMemory
from drove_gateway.gotemplate.run.positions import exec_error
from drove_gateway.gotemplate.syntax.nodes import Node, Tree


class Surprise(Exception):
    """The compiled code cannot continue; `str()` is the reason, if it is the data."""


class NotDeclared(Surprise):
    """A value is not of the type that its place declares."""

    def __init__(self, declared: str) -> None:
        super().__init__(f"a value is not of its declared type {declared}")


class Run:
    """An execution of compiled code: its output, its budget, and the passes to be reused."""

    __slots__ = ("budget", "memory", "nodes", "parts")

    def __init__(
        self, budget: Budget, nodes: Sequence[tuple[Tree, Node]], memory: PassMemory
    ) -> None:
        self.budget = budget
        self.nodes = nodes
        self.memory = memory
        self.parts: list[str] = []

    def again(self, steps: int) -> bool:
        """Count the steps of a pass that is reused; False if there are not enough left."""
        budget = self.budget
        if budget.steps + steps > budget.max_steps:
            return False
        budget.steps += steps
        return True

    def spend(self, steps: int, node: int) -> None:
        """Counts steps, on behalf of a node that the error would name."""
        try:
            self.budget.spend(steps)
        except LimitError as error:
            raise exec_error(*self.nodes[node], str(error)) from None

    def spend_on(self, result: Sized, node: int) -> None:
        """Counts what a function returned."""
        if is_long(result):
            raise Surprise(f"a function returned more than {LONG_TEXT} characters or elements")
        self.spend(len(result) // 16, node)

    def flush(self, out: list[str], node: int) -> None:
        """Takes over what was written so far."""
        try:
            self.budget.write(sum(map(len, out)))
        except LimitError as error:
            raise exec_error(*self.nodes[node], str(error)) from None
        self.parts.append("".join(out))
        out.clear()


def show(value: object) -> str:
    """Return what an action writes."""
    if value is None or value is MISSING:
        return "<no value>"
    if type(value) is int:
        return str(value)
    if type_of(value).kind is Kind.FUNC:
        raise Surprise
    return text(value)


def select(value: object, name: str) -> object:
    """`value.name`, without arguments."""
    if type(value) is dict:
        if name in value:
            return value[name]
    elif value is MISSING:
        return MISSING
    elif type(value) is not Typed and name in (known := _fields(type(value))):
        attribute, declared = known[name]
        return box(getattr(value, attribute), declared)
    return _select(value, name)


def _fields(cls: Any) -> Mapping[str, tuple[str, GoType]]:
    return field_types(cls)


def _select(value: object, name: str) -> object:
    if value is None:
        raise Surprise
    bound = method(value, name)
    if bound is not None:
        return invoke(method_function(value, name, bound), [])
    found = type_of(value)
    if found.kind is Kind.STRUCT:
        result = field(value, name)
        if result is MISSING:
            raise Surprise
        return result
    if found.kind is not Kind.MAP or (found.key or ANY).kind not in {Kind.STRING, Kind.INTERFACE}:
        raise Surprise
    plain: Any = raw(value)
    return box(plain[name], found.item) if name in plain else MISSING


def call_method(value: object, name: str, args: Sequence[object]) -> object:
    """`value.name arg…`."""
    if value is MISSING:
        return MISSING
    bound = None if value is None else method(value, name)
    if bound is None:
        raise Surprise
    return invoke(method_function(value, name, bound), args)


def invoke(called: Function, args: Sequence[object]) -> object:
    """Calls a function with arguments as they travel."""
    if called.wrong_count(len(args), shown=len(args)) is not None:
        raise Surprise
    return called.invoke([fitting(arg, called.param(n)) for n, arg in enumerate(args)])


def fitting(value: object, wanted: GoType) -> object:
    """A value as an argument of a type."""
    found = bare(validated(value, wanted))
    return None if found is MISSING and wanted.kind is Kind.INTERFACE else found


def fitting_plain(value: object, wanted: GoType) -> Any:
    """A value as an argument of a type, as plain Python."""
    return raw(fitting(value, wanted))


def as_sequence(value: object) -> Sequence[object]:
    """Return a value that a hint declares as a slice, and that is not a tuple."""
    if type(value) is list:
        return value
    if value is None:
        return ()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray):
        return value
    raise Surprise("a value is not the list that its type declares")


def as_dict(value: object) -> dict[Any, object]:
    """Return a value that a hint declares as a map, and that is not a plain dict."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return dict(value)
    raise Surprise("a value is not the mapping that its type declares")


def in_order(mapping: Mapping[str, object]) -> list[str]:
    """Return the keys of a `map[string]…`, ordered by their bytes."""
    keys = sorted(mapping)
    return keys if "".join(keys).isascii() else sorted(keys, key=encode)


def range_elements(value: object) -> Iterable[object]:
    """Return what `range` passes to a single variable; sized, so that it is false when empty."""
    if type(value) is list or type(value) is tuple:
        return value
    if type(value) is dict and type_of(value).key is not ANY:
        return [item for _, item in entries(value)]
    if value is None or value is MISSING:
        return ()
    found = type_of(value)
    if found.kind is Kind.SLICE:
        return elements(value)
    if found.kind is Kind.MAP:
        return [item for _, item in entries(value)]
    if found.name != "int" or not isinstance(value, int):
        raise Surprise
    return range(value)


def range_pairs(value: object) -> Sequence[tuple[object, object]]:
    """Return what `range` passes to two variables."""
    if value is None or value is MISSING:
        return ()
    found = type_of(value)
    if found.kind is Kind.SLICE:
        return list(enumerate(elements(value)))
    if found.kind is Kind.MAP:
        return entries(value)
    raise Surprise


def print_(*args: object) -> str:
    return sprint([None if arg is MISSING else arg for arg in args])


def printf(form: str, *args: object) -> str:
    if is_wide(form):
        raise Surprise("a format of printf is long, or its width may be")
    return sprintf(form, [None if arg is MISSING else arg for arg in args])


def println(*args: object) -> str:
    return sprintln([None if arg is MISSING else arg for arg in args])


IN_CODE: Final[Mapping[str, object]] = {
    "MISSING": MISSING,
    "NotDeclared": NotDeclared,
    "Surprise": Surprise,
    "Typed": Typed,
    "as_dict": as_dict,
    "as_sequence": as_sequence,
    "box": box,
    "call_method": call_method,
    "fitting": fitting,
    "fitting_plain": fitting_plain,
    "in_order": in_order,
    "index": indexing.index,
    "invoke": invoke,
    "length": indexing.len_,
    "printf": printf,
    "range_elements": range_elements,
    "range_pairs": range_pairs,
    "select": select,
    "show": show,
    "truth": truth,
}

Compiled = Callable[[Run, list[str], object], None]
