"""Actions to Python statements. Output is gathered in f-strings."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from drove_gateway.gotemplate.compile.calls import Calls
from drove_gateway.gotemplate.compile.codegen import Block, Value, literal_text
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.compile.expressions import static
from drove_gateway.gotemplate.compile.unit import Unit
from drove_gateway.gotemplate.go.format import text
from drove_gateway.gotemplate.go.types import INT, STRING, GoType, Kind
from drove_gateway.gotemplate.run.positions import line_and_column
from drove_gateway.gotemplate.syntax import nodes

MAX_LOOPS: Final = 15
MAX_ELSE_IFS: Final = 50

_PARTS_PER_STRING: Final = 64

_WRITTEN_PARTS: Final = 1024


class FunctionCode(Calls):
    """Compiles one template for one type of dot."""

    def __init__(self, unit: Unit, tree: nodes.Tree, untyped: frozenset[str]) -> None:
        super().__init__(unit.names, unit.functions, _assigned(tree.body), untyped)
        self.unit = unit
        self.tree = tree
        self.main = self.block
        self._pending: list[str] = []
        self._loops = 0
        self.item: nodes.Node = tree.body

    def compile(self, dot: GoType | None) -> None:
        """Compile the template. Raises `NotCompilableError` with the line, and `ManyTypesError`."""
        try:
            self._compile(dot)
        except NotCompilableError as error:
            line, _ = line_and_column(self.tree.source, self.item.pos)
            raise NotCompilableError(f"line {line} of {self.tree.file}: {error}") from None

    def _compile(self, dot: GoType | None) -> None:
        self.node_number = self.unit.node_number(self.tree, self.tree.body)
        self.block.add("w = out.append")
        value = self.checked("dot", dot) if dot is not None else Value("dot")
        if dot is None:
            self.block.add("if dot is None: dot = MISSING")
        self.declare("$", value)
        self.body(value, self.tree.body)
        self.flush()

    # Output

    def write(self, code: str) -> None:
        self._pending.append(code)
        if len(self._pending) >= _PARTS_PER_STRING:
            self.flush()

    def flush(self) -> None:
        """Emits what is to be written; it may not be written later than here."""
        if self._pending:
            self.block.add(f'w(f"{"".join(self._pending)}")')
            self._pending.clear()

    def show(self, value: Value) -> None:
        kind = None if value.type is None else value.type.kind
        if value.is_constant:
            self.write(literal_text(text(value.constant)))
        elif kind in {Kind.STRING, Kind.INT, Kind.UINT}:
            self.write(f"{{{value.code}}}")
        elif kind is Kind.BOOL:
            self.write(f"{{'true' if {value.code} else 'false'}}")
        elif value.type is None:
            self.write(f"{{{value.code} if type({value.code}) is str else show({value.code})}}")
        else:
            self.write(f"{{show({self.boxed(value)})}}")
        if value.is_variable:
            self.flush()

    @contextmanager
    def inside(self, block: Block) -> Iterator[None]:
        """Emits actions into a block that is executed once, many times, or not at all."""
        with self.within(block):
            yield
            self.flush()

    # Actions

    def body(self, dot: Value, body: nodes.Body) -> None:
        for item in body.items:
            self.item = item
            match item:
                case nodes.Text():
                    self.write(literal_text(item.text))
                case nodes.Action():
                    self.action(dot, item)
                case nodes.If():
                    self.if_(dot, item)
                case nodes.With():
                    self.with_(dot, item)
                case nodes.Range():
                    self.range_(dot, item)
                case nodes.Call():
                    self.template(dot, item)
                case nodes.Break() | nodes.Continue():
                    self.flush()
                    self.block.add("break" if isinstance(item, nodes.Break) else "continue")

    def action(self, dot: Value, item: nodes.Action) -> None:
        value = self.commands(dot, item.pipe)
        if item.pipe.variables:
            self.bind(item.pipe, self.piped(value))
        else:
            self.show(value)

    def bind(self, pipe: nodes.Pipe, value: Value) -> None:
        """Gives the variables of a pipeline its value."""
        if pipe.assigns:
            self.flush()
        for variable in pipe.variables:
            if pipe.assigns:
                self.assign(variable.names[0], value)
            else:
                self.declare(variable.names[0], value)

    def template(self, dot: Value, item: nodes.Call) -> None:
        self.flush()
        if item.name not in self.unit.trees:
            self.dead()
            return
        value = Value("MISSING")
        if item.pipe is not None:
            value = self.piped(self.commands(dot, item.pipe))
            self.bind(item.pipe, value)
        declared = None if value.is_constant else value.type
        passed = (value.source or value.code) if declared is not None else self.boxed(value)
        function = self.unit.function(item.name, static(declared))
        self.block.add(f"rt.spend(1, {self.unit.node_number(self.tree, item)})")
        self.block.add(f"{function}(rt, out, {passed})")

    # Branches

    def if_(self, dot: Value, item: nodes.If) -> None:
        self.flush()
        outer = self.block
        with self.within(outer):
            self._if_chain(dot, item)
        self.block = outer

    def _if_chain(self, dot: Value, first: nodes.If) -> None:
        self.block.add(f"if {self._test(dot, first)}:")
        item: nodes.If = first
        for _ in range(MAX_ELSE_IFS):
            with self.inside(self.block.indented()):
                self.body(dot, item.body)
            if item.otherwise is None:
                return
            following = _only_if(item.otherwise)
            if following is None:
                self.block.add("else:")
                with self.inside(self.block.indented()):
                    self.body(dot, item.otherwise)
                return
            self._else_if(dot, following)
            item = following
        raise NotCompilableError(f"an `if` has more than {MAX_ELSE_IFS} `else if`s")

    def _else_if(self, dot: Value, item: nodes.If) -> None:
        extra = Block()
        outer, self.block = self.block, extra
        test = self._test(dot, item)
        self.block = outer
        if extra.is_empty():
            self.block.add(f"elif {test}:")
            return
        self.block.add("else:")
        self.block = self.block.indented()
        self.block.adopt(extra)
        self.block.add(f"if {test}:")

    def _test(self, dot: Value, item: nodes.If) -> str:
        if not item.pipe.variables:
            return self.condition(dot, item.pipe)
        value = self.piped(self.commands(dot, item.pipe))
        self.bind(item.pipe, value)
        return self.truth(value)

    def with_(self, dot: Value, item: nodes.With) -> None:
        self.flush()
        with self.within(self.block):
            value = self.piped(self.settled(self.commands(dot, item.pipe)))
            self.bind(item.pipe, value)
            self.block.add(f"if {self.truth(value)}:")
            with self.inside(self.block.indented()):
                self.body(value, item.body)
            if item.otherwise is not None:
                self.block.add("else:")
                with self.inside(self.block.indented()):
                    self.body(dot, item.otherwise)

    # Loops

    def range_(self, dot: Value, item: nodes.Range) -> None:
        if self._loops >= MAX_LOOPS:
            raise NotCompilableError(f"loops nest more than {MAX_LOOPS} deep")
        if item.otherwise and _has_break(item.otherwise):
            raise NotCompilableError("the `else` of a `range` contains a `break`")
        self.flush()
        with self.within(self.block):
            value = self.commands(dot, item.pipe)
            self.bind(item.pipe, value)
            sequence = self._sequence(value, len(item.pipe.variables))
            if item.otherwise is not None:
                self.block.add(f"if {sequence}:")
                with self.inside(self.block.indented()):
                    self._loop(item, value, sequence)
                self.block.add("else:")
                with self.inside(self.block.indented()):
                    self.body(dot, item.otherwise)
            else:
                self._loop(item, value, sequence)

    def _sequence(self, value: Value, variables: int) -> str:
        """What Python's `for` goes over."""
        kind = None if value.type is None else value.type.kind
        if kind is Kind.SLICE:
            return value.code
        if kind is Kind.MAP:
            return self.let(f"in_order({value.code})").code
        if kind is None or value.type is None:
            helper = "range_pairs" if variables == 2 else "range_elements"
            return self.let(f"{helper}({self.boxed(value)})").code
        if kind in {Kind.INT, Kind.UINT} and variables < 2:
            return self.let(f"range({value.code})").code
        return self.dead().code

    def _loop(self, item: nodes.Range, value: Value, sequence: str) -> None:
        number = self.unit.node_number(self.tree, item)
        leaves_early = _has_break(item.body)
        if not leaves_early:
            self.block.add(f"rt.spend(len({sequence}), {number})")
        index, element = self.names.fresh("i"), self.names.fresh("e")
        pairs = len(item.pipe.variables) == 2
        kind = None if value.type is None else value.type.kind
        self._loops += 1
        self.block.add(f"for {_target(kind, pairs, index, element, sequence)}:")
        with self.inside(self.block.indented()):
            if leaves_early:
                self.block.add(f"rt.spend(1, {number})")
            self.block.add(f"if len(out) > {_WRITTEN_PARTS}: rt.flush(out, {number})")
            if kind is Kind.MAP:
                self.block.add(f"{element} = {value.code}[{index}]")
            found = self._element(value, element)
            key = Value(index, {Kind.MAP: STRING, Kind.SLICE: INT}.get(kind) if kind else None)
            self._bind_range(item.pipe, [key, found] if pairs else [found])
            self.body(found, item.body)
        self._loops -= 1

    def _element(self, value: Value, name: str) -> Value:
        if value.type is None:
            return Value(name)
        if value.type.kind in {Kind.SLICE, Kind.MAP}:
            return self.checked(name, value.type.item)
        return Value(name, value.type)

    def _bind_range(self, pipe: nodes.Pipe, values: Sequence[Value]) -> None:
        for variable, value in zip(pipe.variables, values, strict=False):
            if pipe.assigns:
                self.assign(variable.names[0], value)
            else:
                self.declare(variable.names[0], value)


def _target(kind: Kind | None, pairs: bool, index: str, element: str, sequence: str) -> str:
    if kind is Kind.MAP:
        return f"{index} in {sequence}"
    if kind is Kind.SLICE and pairs:
        return f"{index}, {element} in enumerate({sequence})"
    return f"{index}, {element} in {sequence}" if pairs else f"{element} in {sequence}"


def _only_if(body: nodes.Body) -> nodes.If | None:
    """The `if` of an `else if`."""
    only = body.items[0] if len(body.items) == 1 else None
    return only if isinstance(only, nodes.If) else None


def _bodies(item: nodes.Item) -> Sequence[nodes.Body]:
    if not isinstance(item, nodes.If | nodes.With | nodes.Range):
        return ()
    return (item.body,) if item.otherwise is None else (item.body, item.otherwise)


def _has_break(body: nodes.Body) -> bool:
    """Whether a loop with this body may be left early."""
    todo = [body]
    while todo:
        for item in todo.pop().items:
            if isinstance(item, nodes.Break):
                return True
            if not isinstance(item, nodes.Range):
                todo += _bodies(item)
    return False


def _assigned(body: nodes.Body) -> frozenset[str]:
    """The variables that are assigned to with `=`, as far as such a template is compiled."""
    found: set[str] = set()
    todo = [body]
    while todo:
        for item in todo.pop().items:
            todo += _bodies(item)
            pipe = getattr(item, "pipe", None)
            if pipe is not None and pipe.assigns:
                found.update(variable.names[0] for variable in pipe.variables)
    return frozenset(found)
