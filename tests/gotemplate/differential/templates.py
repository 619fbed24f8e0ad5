"""Templates along the language's grammar: most of them meaningful, many of them not quite."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TypeAlias

from hypothesis import strategies as st

TEXT = ["a", " ", "\n", "  x  ", "{", "}", "é", "-", "\t\n b"]
STRINGS = ['""', '"a"', '"b"', '"a,b"', '","', "`x`", '"é\\n\\""', '"%d"', '"key"', '"\\xff"']
INTEGERS = ["0", "1", "2", "-1", "3", "0x1F", "1_0", "'a'", "0b11", "0o17", "017", "1e2"]
FLOATS = ["1.5", "0.0", "-2.5", "1e3", "1e21", ".5", "0x1p4", "1e-7"]
ODD = ["nil", "true", "false", "1i", "2+3i", "'\\n'", "9223372036854775808", "1a", "$nope", "1.2.3"]
FORMATS = [
    '"%d"', '"%v"', '"%s"', '"%q"', '"%5d|"', '"%-5s|"', '"%05.1f"', '"%x"', '"%v %v"', '"%T"',
    '"%[2]v %[1]v"', '"%t"', '"%!"', '"%#v"', '"%*d"', '"%+v"', '"%c%%"', '"%e"', '"%U"', '"%"',
]  # fmt: skip

Fields: TypeAlias = Mapping[str, Sequence[str]]


Source: TypeAlias = Callable[[int, int], int]
"""Chooses a number between two, both included."""


class Grammar:
    """Writes one template; `fields` are by the kind of value that they hold."""

    def __init__(self, number: Source, fields: Fields) -> None:
        self.number = number
        self.fields = fields
        self.variables: list[str] = []
        self.templates: list[str] = []
        self.ranges = 0

    def pick(self, choices: Sequence[str]) -> str:
        return choices[self.number(0, len(choices) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(0, 99) >= 100 - percent

    def template(self) -> str:
        nodes = [self.node(3) for _ in range(self.number(1, 4))]
        if self.chance(25):
            nodes.insert(self.number(0, len(nodes)), self.define(2))
        return "".join(nodes)

    def body(self, depth: int) -> str:
        known = len(self.variables)
        text = "".join(self.node(depth - 1) for _ in range(self.number(0, 2)))
        del self.variables[known:]
        return text

    def node(self, depth: int) -> str:
        kinds = ["text", "action", "action", "declare", "assign", "comment", "call"]
        if depth > 0:
            kinds += ["if", "with", "range", "range", "block"]
        if self.ranges or self.chance(1):
            kinds += ["leave"]
        writers: dict[str, Callable[[], str]] = {
            "text": lambda: self.pick(TEXT),
            "action": lambda: self.tag(self.pipeline(2)),
            "declare": self.declare,
            "assign": self.assign,
            "comment": lambda: self.pick(["{{/* c */}}", "{{- /* c */ -}}", "{{/* */ -}}"]),
            "call": self.call,
            "if": lambda: self.branch("if", depth),
            "with": lambda: self.branch("with", depth),
            "range": lambda: self.loop(depth),
            "block": lambda: self.block(depth),
            "leave": lambda: self.tag(self.pick(["break", "continue"])),
        }
        return writers[self.pick(kinds)]()

    def tag(self, inside: str) -> str:
        left = "{{- " if self.chance(12) else "{{"
        right = " -}}" if self.chance(12) else "}}"
        return left + inside + right

    def new_variable(self) -> str:
        name = self.pick(["$x", "$y", "$z"])
        self.variables.append(name)
        return name

    def declare(self) -> str:
        value = self.pipeline(1)
        return self.tag(f"{self.new_variable()} := {value}")

    def assign(self) -> str:
        if not self.variables:
            return self.declare()
        return self.tag(f"{self.pick(self.variables)} = {self.pipeline(1)}")

    def branch(self, keyword: str, depth: int) -> str:
        known = len(self.variables)
        condition = self.pipeline(2)
        if self.chance(25):
            condition = f"{self.new_variable()} := {condition}"
        text = self.tag(f"{keyword} {condition}") + self.body(depth)
        if self.chance(20):
            text += self.tag(f"else {keyword} {self.pipeline(1)}") + self.body(depth)
        if self.chance(35):
            text += self.tag("else") + self.body(depth)
        del self.variables[known:]
        return text + self.end()

    def loop(self, depth: int) -> str:
        known = len(self.variables)
        over = self.operand(self.pick(["list", "list", "map", "int", "any"]), 1)
        names = self.number(0, 2)
        if names:
            assigned = self.chance(15) and len(self.variables) >= names
            used = [
                self.pick(self.variables) if assigned else self.new_variable() for _ in range(names)
            ]
            over = f"{', '.join(used)} {'=' if assigned else ':='} {over}"
        self.ranges += 1
        text = self.tag(f"range {over}") + self.body(depth)
        self.ranges -= 1
        del self.variables[known:]
        if self.chance(25):
            text += self.tag("else") + self.body(depth)
        return text + self.end()

    def define(self, depth: int) -> str:
        name = self.pick(['"one"', '"two"'])
        outer, self.variables, ranges, self.ranges = self.variables, [], self.ranges, 0
        text = self.tag(f"define {name}") + self.body(min(depth, 2)) + self.end()
        self.variables, self.ranges = outer, ranges
        self.templates.append(name)
        return text

    def block(self, depth: int) -> str:
        outer, self.variables, ranges, self.ranges = self.variables, [], self.ranges, 0
        inside = self.body(min(depth, 2))
        self.variables, self.ranges = outer, ranges
        return self.tag(f'block "three" {self.operand("any", 1)}') + inside + self.end()

    def call(self) -> str:
        name = self.pick(self.templates or ['"one"'])
        return self.tag(
            f"template {name} {self.operand('any', 1)}" if self.chance(80) else f"template {name}"
        )

    def end(self) -> str:
        return self.tag("end") if not self.chance(1) else ""

    def pipeline(self, depth: int) -> str:
        first = self.command(depth)
        if self.chance(15):
            first += " | " + self.pick(
                [
                    'printf "%v"',
                    "len",
                    "html",
                    "print 1",
                    "not",
                    "index .M",
                    "tolower",
                    "js",
                    "eq 1",
                ]
            )
        return first

    def command(self, depth: int) -> str:
        if depth <= 0 or self.chance(45):
            return self.operand("any", depth)
        return self.function(depth)

    def argument(self, kind: str, depth: int) -> str:
        """Mostly of the kind that is wanted; what `slice` takes as an index is a constant.

        Go's slice refuses numbers that come straight out of a `map[string]any`.
        """
        if kind == "index":
            return self.pick(INTEGERS)
        return self.operand(kind if not self.chance(8) else "any", depth - 1)

    def function(self, depth: int) -> str:
        name, *kinds = self.pick(CALLS).split()
        more = ["any"] * self.number(0, 2) if kinds and kinds[-1] == "..." else []
        wanted = [kind for kind in kinds if kind != "..."] + more
        if self.chance(2):
            wanted = wanted[1:]
        return " ".join([name, *[self.argument(kind, depth) for kind in wanted]])

    def operand(self, kind: str, depth: int) -> str:
        roll = self.number(0, 99)
        if roll < 55 or depth < 0:
            return self.place(kind)
        if roll < 65 and self.variables:
            return self.pick(self.variables) + (".S" if self.chance(15) else "")
        if roll < 72 and depth > 0:
            return f"({self.pipeline(depth - 1)})" + (
                self.pick([".S", ".Host", ".a"]) if self.chance(15) else ""
            )
        if roll < 78:
            return self.pick([".", "$"])
        return self.literal(kind)

    def place(self, kind: str) -> str:
        names = self.fields.get(kind) or self.fields["any"]
        root = self.pick([".", ".", "$."])
        return root + self.pick(names)

    def literal(self, kind: str) -> str:
        known = {"string": STRINGS, "int": INTEGERS, "float": FLOATS, "format": FORMATS}
        if self.chance(3):
            return self.pick(ODD)
        return self.pick(known.get(kind) or STRINGS + INTEGERS + FLOATS)


CALLS = [
    "printf format any", "printf format any any", "printf format int", "printf format float",
    "print any ...", "println any ...", "len string", "len list", "len map", "index list int",
    "index map string", "index strings string", "index any any", "slice string index",
    "slice list index index", "slice string index index", "slice any index", "eq any any ...",
    "eq string string string", "eq int int", "ne string string", "ne any any", "lt int int",
    "lt string string", "le float float", "gt int int", "ge any any", "and any any ...",
    "or any any ...", "not any", "html any ...", "js string", "urlquery any ...", "call any",
    "hasPrefix string string", "hasSuffix string string", "contains string string",
    "split string string", "trim string string", "replace string string string int",
    "tolower string", "hostport string int", "getenv string",
    "index strings string", "join any string", "datetime", "printf string any",
]  # fmt: skip

MAP_FIELDS: Fields = {
    "any": [
        "S",
        "N",
        "F",
        "B",
        "L",
        "I",
        "T",
        "M",
        "D",
        "H",
        "Z",
        "A",
        "Nope",
        "M.a",
        "D.a",
        "A.b",
        "S.x",
        "Z.x",
    ],
    "string": ["S", "S", "D.a", "D.key"],
    "int": ["N", "N"],
    "float": ["F"],
    "list": ["L", "I", "T", "H"],
    "map": ["M", "D", "M"],
    "strings": ["D"],
}

TOPOLOGY_FIELDS: Fields = {
    "any": [
        "Apps", "Namespaces", "Hosts", "Tags", "Groups", "ID", "Vhost", "Host", "Port", "PortType",
        "Leader", "LeaderVHost", "Leader.Port", "Apps.b", "Apps.b.Hosts", "Tags.a", "Nope",
        "Namespaces.one.Leader", "RoutingTagKey", "Namespaces.one", "Namespaces.x.Leader",
    ],
    "string": ["Vhost", "ID", "Host", "PortType", "LeaderVHost", "Tags.key", "RoutingTag"],
    "int": ["Port", "Leader.Port"],
    "list": ["Hosts", "Apps.b.Hosts"],
    "map": ["Apps", "Apps", "Tags", "Groups", "Namespaces"],
    "strings": ["Tags"],
}  # fmt: skip


def plain_template(number: Source) -> str:
    """A template over plain data."""
    return Grammar(number, MAP_FIELDS).template()


def typed_template(number: Source) -> str:
    """A template over a topology: half of them look into apps and hosts, as those for proxies."""
    grammar = Grammar(number, TOPOLOGY_FIELDS)
    if grammar.chance(50):
        return grammar.template()
    grammar.variables += ["$id", "$app"]
    grammar.ranges += 1
    outer = grammar.template()
    grammar.variables += ["$host"]
    inner = grammar.template()
    hosts = "{{range $host := .Hosts}}" + inner + "{{end}}"
    return "{{range $id, $app := .Apps}}" + outer + hosts + "{{end}}"


@st.composite
def drawn(draw: st.DrawFn, write: Callable[[Source], str]) -> str:
    """A template of which hypothesis makes every choice, so that it can shrink it."""
    return write(lambda low, high: draw(st.integers(low, high)))


def seeded(write: Callable[[Source], str], count: int) -> st.SearchStrategy[list[str]]:
    """Many templates from one seed: much quicker to write, but nothing that can be shrunk."""
    seeds = st.integers(0, 2**32)
    return seeds.map(lambda seed: [write(Random(seed + at).randint) for at in range(count)])
