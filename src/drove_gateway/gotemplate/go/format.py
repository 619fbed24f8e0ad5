"""Go's `fmt`: `Sprintf`, `Sprint` and `Sprintln`, for the values a template can hold.

A faithful reading of Go 1.26's `fmt/print.go`; what is wrong with a format is written into the
text, as Go does, and never raised.
"""

from collections.abc import Sequence
from dataclasses import replace

from drove_gateway.gotemplate.go.format_directives import (
    PLAIN,
    Directive,
    Piece,
    Spec,
    parse_format,
    too_large,
)
from drove_gateway.gotemplate.go.format_values import go_value, type_name
from drove_gateway.gotemplate.go.types import Kind
from drove_gateway.gotemplate.go.values import raw, type_of


def text(value: object) -> str:
    """Return what `print` writes for a value: `%v`, and `<nil>` for nil."""
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    return go_value(value, "v", PLAIN)


def sprint(args: Sequence[object]) -> str:
    """Return all values, with a blank between two that are not strings."""
    parts: list[str] = []
    after_string = True
    for arg in args:
        is_string = type_of(arg).kind is Kind.STRING
        if not is_string and not after_string:
            parts.append(" ")
        parts.append(text(arg))
        after_string = is_string
    return "".join(parts)


def sprintln(args: Sequence[object]) -> str:
    """Return all values with blanks between them, and a line break."""
    return " ".join([text(arg) for arg in args]) + "\n"


def sprintf(format_: str, args: Sequence[object]) -> str:
    """Return the values as the directives of a format write them."""
    parsed = parse_format(format_)
    if parsed.verbs is not None and _fit(args, parsed.verbs):
        return parsed.outline % tuple(args)
    return _Sprintf(parsed.pieces, args).run()


def _fit(args: Sequence[object], verbs: str) -> bool:
    """Whether there is a text or an integer for each verb, and nothing that needs a closer look."""
    if len(args) != len(verbs):
        return False
    return all(
        type(arg) is str if verb == "s" else type(arg) is int or (verb == "v" and type(arg) is str)
        for arg, verb in zip(args, verbs, strict=True)
    )


class _Sprintf:
    """A run over a format: its place among the arguments, and its output so far."""

    def __init__(self, pieces: Sequence[Piece], args: Sequence[object]) -> None:
        self.pieces = pieces
        self.args = args
        self.next = 0
        self.reordered = False
        self.out: list[str] = []

    def run(self) -> str:
        for piece in self.pieces:
            if isinstance(piece, str):
                self.out.append(piece)
            elif piece.direct:
                self.out.append(self._operand(piece.verb, piece.spec))
            else:
                self._indirect(piece)
        if not self.reordered and self.next < len(self.args):
            self._extra()
        return "".join(self.out)

    def _operand(self, verb: str, spec: Spec) -> str:
        if self.next >= len(self.args):
            return f"%!{verb}(MISSING)"
        arg = self.args[self.next]
        self.next += 1
        if spec is PLAIN and verb in "sv" and type(arg) is str:
            return arg
        return go_value(arg, verb, spec)

    def _indirect(self, directive: Directive) -> None:
        """Write a directive with `*` or indexes, or an invalid directive."""
        good = self._jump(directive.width_index) and not directive.misplaced
        spec = directive.spec
        if directive.star_width:
            spec = self._star_width(spec)
        good = self._jump(directive.precision_index) and good
        if directive.star_precision:
            spec = self._star_precision(spec)
        good = self._jump(directive.verb_index) and good
        self.out.append(self._outcome(directive.verb, spec, good))

    def _outcome(self, verb: str, spec: Spec, good: bool) -> str:
        if not verb:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        return self._operand(verb, spec) if good else f"%!{verb}(BADINDEX)"

    def _jump(self, index: int | None) -> bool:
        """Continue with another argument; false if there is no such argument."""
        if index is None:
            return True
        self.reordered = True
        found = 0 <= index < len(self.args)
        if found:
            self.next = index
        return found

    def _star_width(self, spec: Spec) -> Spec:
        number = self._number()
        if number is None:
            self.out.append("%!(BADWIDTH)")
            return replace(spec, width=0)
        if number < 0:
            return replace(spec, width=-number, minus=True, zero=False)
        return replace(spec, width=number)

    def _star_precision(self, spec: Spec) -> Spec:
        number = self._number()
        if number is None or number < 0:
            self.out.append("%!(BADPREC)")
            return replace(spec, precision=None)
        return replace(spec, precision=number)

    def _number(self) -> int | None:
        """Return the next argument as a width or precision, None if it cannot be used so."""
        if self.next >= len(self.args):
            return None
        arg = self.args[self.next]
        self.next += 1
        plain = raw(arg)
        if type_of(arg).kind not in {Kind.INT, Kind.UINT} or not isinstance(plain, int):
            return None
        return None if too_large(plain) else plain

    def _extra(self) -> None:
        notes = [
            "<nil>" if arg is None else f"{type_name(arg)}={text(arg)}"
            for arg in self.args[self.next :]
        ]
        self.out.append(f"%!(EXTRA {', '.join(notes)})")
