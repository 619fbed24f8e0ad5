"""The directives of a format string: `%-8.3[2]f` parsed, once for each format."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from drove_gateway.gotemplate.go.strconv import REPLACEMENT, is_surrogate

_FLAGS: Final = "#0+- "
_TOO_LARGE: Final = 1_000_000
_UNREADABLE: Final = -1


@dataclass(frozen=True, slots=True)
class Spec:
    """Flags, width and precision of a directive.

    `%+v` and `%#v` are formats of their own in Go: there the flags are called `plus_v` and
    `sharp_v`, and `plus` and `sharp` are off. A width of 0 is none.
    """

    minus: bool = False
    plus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    plus_v: bool = False
    sharp_v: bool = False
    width: int = 0
    precision: int | None = None


PLAIN: Final = Spec()


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive; no `verb` means that the format ended too early.

    The three indexes are those of `%[n]*.[n]*[n]d`, counted from 0; a negative index is
    unreadable or out of range in any case. `misplaced` says that an index precedes a number.
    `direct` says that the directive takes the next argument as it is: no `*` and no index.
    """

    verb: str
    spec: Spec
    direct: bool
    star_width: bool = False
    star_precision: bool = False
    width_index: int | None = None
    precision_index: int | None = None
    verb_index: int | None = None
    misplaced: bool = False


Piece: TypeAlias = str | Directive


@dataclass(frozen=True, slots=True)
class Format:
    """Literal text and directives of a format, in order.

    Where all directives are plain `%s`, `%v` or `%d`, `verbs` is all of them in order and
    `outline` is the format in Python's way, with a `%s` for each.
    """

    pieces: tuple[Piece, ...]
    outline: str
    verbs: str | None


def too_large(number: int) -> bool:
    """Whether Go refuses `number` as a width or precision."""
    return abs(number) > _TOO_LARGE


@lru_cache(maxsize=512)
def parse_format(text: str) -> Format:
    """Return a format in its parts."""
    pieces = tuple(_pieces(text))
    directives = [piece for piece in pieces if isinstance(piece, Directive)]
    plain = all(each.direct and each.spec == PLAIN and each.verb in "svd" for each in directives)
    outline = [piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in pieces]
    verbs = "".join([directive.verb for directive in directives])
    return Format(pieces, "".join(outline), verbs if plain else None)


def _pieces(text: str) -> Iterator[Piece]:
    position = 0
    while position < len(text):
        percent = text.find("%", position)
        if percent < 0:
            yield text[position:]
            return
        if percent > position:
            yield text[position:percent]
        scanner = _Scanner(text, percent + 1)
        yield scanner.directive()
        position = scanner.position


class _Scanner:
    """Reads a directive, in the order that Go's `doPrintf` does."""

    def __init__(self, text: str, position: int) -> None:
        self.text = text
        self.position = position

    def directive(self) -> Directive:
        flags = self._flags()
        width_index, after_index = self._index()
        star_width = self._accept("*")
        width = None if star_width else self._number()
        misplaced = after_index and width is not None
        after_index = after_index and not star_width
        precision: int | None = None
        precision_index = None
        star_precision = False
        if self._peek() == "." and self.position + 1 < len(self.text):
            self.position += 1
            misplaced = misplaced or after_index
            precision_index, after_index = self._index()
            star_precision = self._accept("*")
            if star_precision:
                after_index = False
            else:
                precision = self._number() or 0
        verb_index = None if after_index else self._index()[0]
        verb = self._peek()
        self.position += 1
        return Directive(
            verb=REPLACEMENT if verb and is_surrogate(verb) else verb,
            spec=_spec(flags, verb, width or 0, precision),
            direct=verb not in ("", "%")
            and not (star_width or star_precision or misplaced)
            and width_index is precision_index is verb_index is None,
            star_width=star_width,
            star_precision=star_precision,
            width_index=width_index,
            precision_index=precision_index,
            verb_index=verb_index,
            misplaced=misplaced,
        )

    def _peek(self) -> str:
        return self.text[self.position : self.position + 1]

    def _accept(self, char: str) -> bool:
        found = self._peek() == char
        self.position += found
        return found

    def _flags(self) -> str:
        start = self.position
        while self._peek() and self._peek() in _FLAGS:
            self.position += 1
        return self.text[start : self.position]

    def _number(self) -> int | None:
        """Read a number; a far too large number swallows the rest of the format, as in Go."""
        start = self.position
        number = 0
        while (digit := self._peek()) and digit in "0123456789":
            if too_large(number):
                self.position = len(self.text)
                return None
            number = number * 10 + int(digit)
            self.position += 1
        return number if self.position > start else None

    def _index(self) -> tuple[int | None, bool]:
        """The number in `[n]`, and whether it could be read."""
        if self._peek() != "[":
            return None, False
        closing = self.text.find("]", self.position)
        if closing < 0 or self.text[self.position :] == "[]":
            self.position += 1
            return _UNREADABLE, False
        inner = _Scanner(self.text[self.position + 1 : closing], 0)
        number = inner._number()
        readable = number is not None and inner.position == len(inner.text)
        self.position = closing + 1
        return (number - 1 if readable and number else _UNREADABLE), readable


def _spec(flags: str, verb: str, width: int, precision: int | None) -> Spec:
    go_syntax = verb in ("v", "w")
    plus, sharp = "+" in flags, "#" in flags
    return Spec(
        minus="-" in flags,
        plus=plus and not go_syntax,
        sharp=sharp and not go_syntax,
        space=" " in flags,
        zero="0" in flags,
        plus_v=plus and go_syntax,
        sharp_v=sharp and go_syntax,
        width=width,
        precision=precision,
    )
