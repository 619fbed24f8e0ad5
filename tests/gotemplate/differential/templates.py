"""Templates along the language's grammar: most of them meaningful, many of them not quite."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import TypeAlias

from hypothesis import strategies as st
from tests.gotemplate.differential.vocabulary import (
    AFTER,
    CALLS,
    COMMENTS,
    FLOATS,
    FORMATS,
    INTEGERS,
    ODD,
    SHAPES,
    STRINGS,
    TEXT,
    UNKNOWN,
    Shape,
)

Source: TypeAlias = Callable[[int, int], int]
"""Chooses a number between two, both included."""

KINDS = ["any", "string", "int", "float", "bool", "list", "map"]


class Grammar:
    """Writes one template over data of a shape, and knows what dot is while it writes."""

    def __init__(self, number: Source, root: str) -> None:
        self.number = number
        self.root = self.dot = SHAPES[root]
        self.variables: list[tuple[str, str]] = []
        self.templates: list[str] = []
        self.ranges = 0
        self.in_block = False

    def pick(self, choices: Sequence[str]) -> str:
        return choices[self.number(0, len(choices) - 1)]

    def chance(self, percent: int) -> bool:
        return self.number(0, 99) >= 100 - percent

    @contextmanager
    def inside(self, dot: Shape | None = None) -> Iterator[None]:
        """A scope of its own for dot and for variables."""
        outer, known = self.dot, len(self.variables)
        self.dot = dot or outer
        yield
        self.dot = outer
        del self.variables[known:]

    def template(self) -> str:
        """Named templates before and after those that use them."""
        before = [self.define(name) for name in ('"one"', '"two"') if self.chance(20)]
        nodes = self.nodes(1, 4, 3)
        return "".join([*before, nodes] if self.chance(50) else [nodes, *before])

    def nodes(self, least: int, most: int, depth: int) -> str:
        return "".join(self.node(depth) for _ in range(self.number(least, most)))

    def body(self, depth: int, dot: Shape | None = None) -> str:
        with self.inside(dot):
            return self.nodes(0, 2, depth - 1)

    def node(self, depth: int) -> str:
        writers: list[Callable[[], str]] = [
            lambda: self.pick(TEXT),
            lambda: self.tag(self.pipeline("any", 2)),
            lambda: self.tag(self.pipeline("string", 2)),
            self.declare,
            self.assign,
            lambda: self.pick(COMMENTS),
        ]
        if depth > 0:
            writers += [lambda: self.branch("if", depth), lambda: self.branch("with", depth)]
            writers += [lambda: self.loop(depth), lambda: self.loop(depth)]
        if depth > 0 and not self.in_block and self.chance(20):
            writers.append(lambda: self.block(depth))
        if self.templates or self.chance(2):
            writers.append(self.call)
        if self.ranges or self.chance(1):
            writers.append(lambda: self.tag(self.pick(["break", "continue"])))
        return writers[self.number(0, len(writers) - 1)]()

    def tag(self, inside: str) -> str:
        left = "{{- " if self.chance(12) else "{{"
        right = " -}}" if self.chance(12) else "}}"
        return left + inside + right

    def end(self) -> str:
        return "" if self.chance(1) else self.tag("end")

    def new_variable(self, kind: str) -> str:
        name = self.pick(["$x", "$y", "$z"])
        self.variables.append((name, kind))
        return name

    def declare(self) -> str:
        kind = self.pick(KINDS)
        value = self.pipeline(kind, 1)
        return self.tag(f"{self.new_variable(kind)} := {value}")

    def assign(self) -> str:
        if not self.variables:
            return self.declare()
        name, kind = self.variables[self.number(0, len(self.variables) - 1)]
        return self.tag(f"{name} = {self.pipeline(kind, 1)}")

    def branch(self, keyword: str, depth: int) -> str:
        with self.inside():
            condition, dot = self.subject(keyword)
            if self.chance(25):
                condition = f"{self.new_variable('any')} := {condition}"
            text = self.tag(f"{keyword} {condition}") + self.body(depth, dot)
            if self.chance(20):
                text += self.tag(f"else {keyword} {self.pipeline('any', 1)}")
                text += self.body(depth, None if keyword == "if" else UNKNOWN)
            if self.chance(35):
                text += self.tag("else") + self.body(depth)
            return text + self.end()

    def subject(self, keyword: str) -> tuple[str, Shape | None]:
        """A condition, and what dot is where it holds."""
        if keyword == "if":
            return self.pipeline(self.pick(["any", "bool", "bool"]), 2), None
        if self.chance(50):
            return self.named(["any", "list", "map"])
        return self.pipeline("any", 1), UNKNOWN

    def named(self, kinds: Sequence[str]) -> tuple[str, Shape]:
        """A place in dot or the root, and the shape of what is there."""
        names = [name for kind in kinds for name in self.dot.names.get(kind, [])]
        if names and self.chance(80):
            name = self.pick(names)
            return f".{name}", SHAPES.get(self.dot.shapes.get(name, ""), UNKNOWN)
        name = self.pick([name for kind in kinds for name in self.root.names.get(kind, ["x"])])
        return f"$.{name}", SHAPES.get(self.root.shapes.get(name, ""), UNKNOWN)

    def loop(self, depth: int) -> str:
        with self.inside():
            over, dot = self.named(["list", "map"])
            if self.chance(25):
                over, dot = self.operand(self.pick(["list", "integer", "any"]), 1), UNKNOWN
            over = self.loop_variables() + over
            self.ranges += 1
            text = self.tag(f"range {over}") + self.body(depth, dot)
            self.ranges -= 1
        if self.chance(25):
            text += self.tag("else") + self.body(depth)
        return text + self.end()

    def loop_variables(self) -> str:
        count = self.number(0, 2)
        if not count:
            return ""
        if self.chance(15) and len(self.variables) >= count:
            return ", ".join(name for name, _ in self.variables[-count:]) + " = "
        return ", ".join(self.new_variable("any") for _ in range(count)) + " := "

    def define(self, name: str) -> str:
        """A named template; it is called with the root, so that it may use what the root has."""
        text = self.tag(f"define {name}") + self.nodes(0, 3, 2) + self.end()
        self.variables.clear()
        self.templates.append(name)
        return text

    def block(self, depth: int) -> str:
        """Not inside another one of the same name, which would call itself 100,000 times."""
        outer, self.variables, ranges, self.ranges = self.variables, [], self.ranges, 0
        self.in_block = True
        inside = self.body(min(depth, 2))
        self.in_block = False
        self.variables, self.ranges = outer, ranges
        return self.tag('block "three" .') + inside + self.end()

    def call(self) -> str:
        name = self.pick(self.templates or ['"one"'])
        argument = self.pick([" $", " $", " $", " .", "", f" {self.operand('any', 1)}"])
        return self.tag(f"template {name}{argument}")

    def pipeline(self, kind: str, depth: int) -> str:
        return self.command(kind, depth) + (self.pick(AFTER) if self.chance(12) else "")

    def command(self, kind: str, depth: int) -> str:
        if depth <= 0 or self.chance(40):
            return self.operand(kind, depth)
        calls = CALLS.get(kind, CALLS["any"])
        name, *kinds = self.pick([*CALLS["string"], *calls] if kind == "any" else calls).split()
        wanted = [kind for kind in kinds if kind != "..."]
        if "..." in kinds:
            wanted += ["any"] * self.number(0, 2)
        if self.chance(1):
            wanted = wanted[1:]
        return " ".join([name, *[self.argument(kind, depth) for kind in wanted]])

    def argument(self, kind: str, depth: int) -> str:
        """Mostly of the kind that is wanted; what `slice` takes as an index is a constant.

        Go's slice refuses numbers that come straight out of a `map[string]any`.
        """
        if kind in {"index", "integer"}:
            return self.pick(INTEGERS[:5])
        if kind in {"texts", "bool", "map"} and depth > 0:
            return f"({self.command(kind, depth - 1)})"
        return self.operand("any" if self.chance(4) else kind, depth - 1)

    def operand(self, kind: str, depth: int) -> str:
        same = [name for name, known in self.variables if known == kind]
        roll = self.number(0, 99)
        if same and roll < 25:
            return self.pick(same)
        if roll < 60 and (kind in self.dot.names or kind in self.root.names):
            return self.named([kind])[0]
        if roll < 72 and depth > 0:
            chain = self.pick([".S", ".Host", ".a"]) if self.chance(10) else ""
            return f"({self.pipeline(kind, depth - 1)}){chain}"
        if roll < 74:
            return self.pick([".", "$"])
        return self.literal(kind)

    def literal(self, kind: str) -> str:
        if self.chance(2):
            return self.pick(ODD)
        known = {"string": STRINGS, "int": INTEGERS, "float": FLOATS, "format": FORMATS}
        known |= {"integer": INTEGERS, "bool": ["true", "false"]}
        return self.pick(known.get(kind) or STRINGS + INTEGERS + FLOATS)


def plain_template(number: Source) -> str:
    """A template over plain data."""
    return Grammar(number, "data").template()


def typed_template(number: Source) -> str:
    """A template over a topology; half of them look into apps and hosts, as those for proxies."""
    grammar = Grammar(number, "topology")
    if grammar.chance(50):
        return grammar.template()
    grammar.ranges += 1
    grammar.variables += [("$id", "string"), ("$app", "any")]
    outer = grammar.body(3, SHAPES["app"])
    grammar.variables += [("$host", "any")]
    inner = grammar.body(3, SHAPES["host"])
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
