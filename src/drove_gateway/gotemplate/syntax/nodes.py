"""The parse tree, and how Go writes its nodes in messages.

`pos` is an index into the source text (in characters). A `Tree` is a template: the text itself,
or a template that it defines by `define` or `block`.
"""

from dataclasses import dataclass, field
from typing import TypeAlias

from drove_gateway.gotemplate.go.strconv import quote

_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)


@dataclass(slots=True, eq=False)
class Dot:
    pos: int


@dataclass(slots=True, eq=False)
class Nil:
    pos: int


@dataclass(slots=True, eq=False)
class Bool:
    pos: int
    value: bool


@dataclass(slots=True, eq=False)
class String:
    """`quoted` is the literal as it was written, `value` what it means."""

    pos: int
    quoted: str
    value: str


@dataclass(slots=True, eq=False)
class Number:
    """A number under all the types that can hold it, as Go's ideal constants are."""

    pos: int
    text: str
    as_int: int | None = None
    as_uint: int | None = None
    as_float: float | None = None
    as_complex: complex | None = None


@dataclass(slots=True, eq=False)
class Field:
    """`.A.B`"""

    pos: int
    names: list[str]


@dataclass(slots=True, eq=False)
class Variable:
    """`$x.A.B`; `names` starts with the variable, dollar included."""

    pos: int
    names: list[str]


@dataclass(slots=True, eq=False)
class Identifier:
    """A function's name."""

    pos: int
    name: str


@dataclass(slots=True, eq=False)
class Chain:
    """`(pipeline).A.B`, or a function's name followed by fields."""

    pos: int
    base: "Operand"
    names: list[str]


@dataclass(slots=True, eq=False)
class Command:
    """`word argument…`"""

    pos: int
    args: "list[Operand]" = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Pipe:
    """`$a, $b := command | command`; `assigns` is true for `=` instead of `:=`."""

    pos: int
    commands: list[Command] = field(default_factory=list)
    variables: list[Variable] = field(default_factory=list)
    assigns: bool = False


@dataclass(slots=True, eq=False)
class Text:
    pos: int
    text: str


@dataclass(slots=True, eq=False)
class Action:
    pos: int
    pipe: Pipe


@dataclass(slots=True, eq=False)
class If:
    pos: int
    pipe: Pipe
    body: "Body"
    otherwise: "Body | None"


@dataclass(slots=True, eq=False)
class With:
    pos: int
    pipe: Pipe
    body: "Body"
    otherwise: "Body | None"


@dataclass(slots=True, eq=False)
class Range:
    pos: int
    pipe: Pipe
    body: "Body"
    otherwise: "Body | None"


@dataclass(slots=True, eq=False)
class Break:
    pos: int


@dataclass(slots=True, eq=False)
class Continue:
    pos: int


@dataclass(slots=True, eq=False)
class Call:
    """`{{template "name" pipeline}}`"""

    pos: int
    name: str
    pipe: Pipe | None


@dataclass(slots=True, eq=False)
class Body:
    """A sequence of text and actions."""

    pos: int
    items: "list[Item]" = field(default_factory=list)


Operand: TypeAlias = (
    Dot | Nil | Bool | String | Number | Field | Variable | Identifier | Chain | Pipe
)
Branch: TypeAlias = If | With | Range
Item: TypeAlias = Text | Action | Branch | Break | Continue | Call
Node: TypeAlias = Operand | Command | Item | Body


@dataclass(slots=True, eq=False)
class Tree:
    """A template. `source` and `file` are those of the text it was parsed from."""

    name: str
    file: str
    source: str
    body: Body


def is_blank(body: Body) -> bool:
    """Whether a body is nothing but space: such a definition does not replace another."""
    return all(isinstance(item, Text) and not item.text.strip(_SPACE) for item in body.items)


def text_of(node: Node) -> str:
    """Return a node as Go writes it in messages, which may differ from the template's text."""
    done: list[str] = []
    todo: list[Node | str] = [node]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            done.append(part)
        else:
            todo.extend(reversed(_parts(part)))
    return "".join(done)


def _parts(node: Node) -> "list[Node | str]":
    match node:
        case Chain() | Command() | Pipe():
            return _expression_parts(node)
        case If() | With() | Range():
            return _branch_parts(node)
        case Body():
            return list(node.items)
        case Action():
            return ["{{", node.pipe, "}}"]
        case Call() if node.pipe is not None:
            return ["{{template ", quote(node.name), " ", node.pipe, "}}"]
        case _:
            return [_leaf(node)]


def _leaf(node: Node) -> str:
    words = {Dot: ".", Nil: "nil", Break: "{{break}}", Continue: "{{continue}}"}
    match node:
        case Bool():
            shown = "true" if node.value else "false"
        case String():
            shown = node.quoted
        case Number() | Text():
            shown = node.text
        case Identifier():
            shown = node.name
        case Field():
            shown = "".join("." + name for name in node.names)
        case Variable():
            shown = ".".join(node.names)
        case Call():
            shown = f"{{{{template {quote(node.name)}}}}}"
        case _:
            shown = words[type(node)]
    return shown


def _expression_parts(node: Chain | Command | Pipe) -> "list[Node | str]":
    if isinstance(node, Chain):
        return [*_operand(node.base), *("." + name for name in node.names)]
    parts: list[Node | str] = []
    if isinstance(node, Command):
        for arg in node.args:
            parts += [*([" "] if parts else []), *_operand(arg)]
        return parts
    if node.variables:
        names = ", ".join(".".join(variable.names) for variable in node.variables)
        parts.append(f"{names} {'=' if node.assigns else ':='} ")
    for number, command in enumerate(node.commands):
        parts += [" | ", command] if number else [command]
    return parts


def _operand(node: Operand) -> "list[Node | str]":
    return ["(", node, ")"] if isinstance(node, Pipe) else [node]


def _branch_parts(node: Branch) -> "list[Node | str]":
    word = type(node).__name__.lower()
    otherwise: list[Node | str] = ["{{else}}", node.otherwise] if node.otherwise else []
    return [f"{{{{{word} ", node.pipe, "}}", node.body, *otherwise, "{{end}}"]
