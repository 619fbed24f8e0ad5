"""Python source under construction: blocks of lines, names, literals, and values with types."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from drove_gateway.gotemplate.go.types import GoType, Kind


class Block:
    """Lines of code and blocks within them, so that lines can still be added further up."""

    def __init__(self) -> None:
        self._parts: list[str | tuple[Block, int]] = []

    def add(self, line: str) -> None:
        self._parts.append(line)

    def indented(self) -> "Block":
        """Add a block that is indented by a level."""
        block = Block()
        self._parts.append((block, 1))
        return block

    def slot(self) -> "Block":
        """Add a block at the same level, to be filled later."""
        block = Block()
        self._parts.append((block, 0))
        return block

    def adopt(self, block: "Block") -> None:
        """Add the lines of a block that was made elsewhere."""
        self._parts.append((block, 0))

    def is_empty(self) -> bool:
        return all(not isinstance(part, str) and part[0].is_empty() for part in self._parts)

    def lines(self, indent: int = 0) -> Iterator[str]:
        """Return the lines; an indented block that stayed empty becomes `pass`."""
        for part in self._parts:
            if isinstance(part, str):
                yield " " * indent + part
            else:
                block, levels = part
                if levels and block.is_empty():
                    yield " " * (indent + 1) + "pass"
                yield from block.lines(indent + levels)


NOT_CONSTANT: Final = object()


@dataclass(slots=True, eq=False)
class Value:
    """An expression that is cheap and safe to repeat: a name or a constant.

    `type` is its Go type if that is known at compile time: then the code yields the plain Python
    value, checked when it was read. `None` means any value as it travels (see `values`).
    `slot` is where code that reads its fields may be put: right after it was set. `loaded` are the
    fields that are read there.
    `source` is the name of the original, if a dict or a sequence had to be made of it.
    """

    code: str
    type: GoType | None = None
    slot: Block | None = None
    source: str | None = None
    constant: object = NOT_CONSTANT
    loaded: "dict[str, Value]" = field(default_factory=dict)

    @property
    def is_constant(self) -> bool:
        return self.constant is not NOT_CONSTANT

    @property
    def kind(self) -> Kind | None:
        """The kind of its type, if that is known."""
        return None if self.type is None else self.type.kind

    @property
    def truth(self) -> str:
        """A Python expression that is true when Go's `if` takes the value as true."""
        if self.type is None:
            return f"({self.code} if type({self.code}) is str else truth({self.code}))"
        return "True" if self.type.kind is Kind.STRUCT else self.code

    @property
    def is_variable(self) -> bool:
        """Whether the name may stand for another value later."""
        return self.code.startswith("m")


class Names:
    """Fresh names, and the objects that the code refers to by name."""

    def __init__(self) -> None:
        self.globals: dict[str, object] = {}
        self._counter = itertools.count(1)
        self._known: dict[int, str] = {}

    def fresh(self, prefix: str = "v") -> str:
        return f"{prefix}{next(self._counter)}"

    def of(self, thing: object, prefix: str = "g") -> str:
        """Return the name by which the code knows an object."""
        name = self._known.get(id(thing))
        if name is None:
            name = self.fresh(prefix)
            self._known[id(thing)] = name
            self.globals[name] = thing
        return name


_ESCAPES = str.maketrans(
    {
        "\\": "\\\\",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "\t": "\\t",
        "\0": "\\x00",
        "{": "{{",
        "}": "}}",
    }
)


def literal_text(text: str) -> str:
    """Return text as it is written within an f-string between double quotes."""
    escaped = text.translate(_ESCAPES)
    if escaped.isprintable():
        return escaped
    return "".join(char if char.isprintable() else _escape(char) for char in escaped)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
