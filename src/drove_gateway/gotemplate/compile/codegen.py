"""Python source in the making: blocks of lines, names, literals, and values with their types."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from drove_gateway.gotemplate.go.types import GoType, Kind

_PLAIN_KINDS = frozenset({Kind.STRING, Kind.BOOL, Kind.STRUCT})


class Block:
    """Lines of code and blocks within them, so that lines can still be added further up."""

    def __init__(self) -> None:
        self._parts: list[str | tuple[Block, int]] = []

    def add(self, line: str) -> None:
        self._parts.append(line)

    def indented(self) -> "Block":
        """A block one level further in, after what is here already."""
        block = Block()
        self._parts.append((block, 1))
        return block

    def slot(self) -> "Block":
        """A place between the lines, at the same level."""
        block = Block()
        self._parts.append((block, 0))
        return block

    def adopt(self, block: "Block") -> None:
        """Adds the lines of a block that was made elsewhere."""
        self._parts.append((block, 0))

    def is_empty(self) -> bool:
        return all(not isinstance(part, str) and part[0].is_empty() for part in self._parts)

    def lines(self, indent: int = 0) -> Iterator[str]:
        """The lines; an indented block that stayed empty becomes `pass`."""
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
    `slot` is where reading its fields may be put: right after it was set. `loaded` are those
    that were read there.
    `source` is the name of what it was made from, if it had to be made a dict or a sequence.
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
        """The name by which the code knows an object."""
        name = self._known.get(id(thing))
        if name is None:
            name = self.fresh(prefix)
            self._known[id(thing)] = name
            self.globals[name] = thing
        return name


def is_plain(found: GoType) -> bool:
    """Whether values of a type travel as they are, without being `Typed`."""
    return found.kind in _PLAIN_KINDS or found.name in {"int", "float64", "complex128"}


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
    """Text as it stands within an f-string between double quotes."""
    escaped = text.translate(_ESCAPES)
    if escaped.isprintable():
        return escaped
    return "".join(char if char.isprintable() else _escape(char) for char in escaped)


def _escape(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}"
