"""Actions to Python statements."""

from typing import Final

from drove_gateway.gotemplate.compile.codegen import Block, Value
from drove_gateway.gotemplate.compile.conditions import Conditions
from drove_gateway.gotemplate.compile.emitter import Emitter
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.compile.loops import Loops
from drove_gateway.gotemplate.compile.output import Output
from drove_gateway.gotemplate.compile.pipelines import Pipelines
from drove_gateway.gotemplate.compile.static_types import static
from drove_gateway.gotemplate.compile.tree_facts import assigned, only_if
from drove_gateway.gotemplate.compile.unit import Unit
from drove_gateway.gotemplate.compile.variables import Variables
from drove_gateway.gotemplate.go.types import GoType
from drove_gateway.gotemplate.run.positions import line_and_column
from drove_gateway.gotemplate.syntax import nodes

MAX_ELSE_IFS: Final = 50


def function_body(
    unit: Unit, tree: nodes.Tree, dot: GoType | None, untyped: frozenset[str]
) -> Block:
    """Return the code of a template for a type of dot.

    `untyped` are variables that get values of different types. Raises `NotCompilableError` with
    the template's line, and `ManyTypesError` for a variable that should have been untyped.
    """
    statements = _Statements(unit, tree, untyped)
    try:
        return statements.function(dot)
    except NotCompilableError as error:
        line, _ = line_and_column(tree.source, statements.item.pos)
        raise NotCompilableError(f"line {line} of {tree.file}: {error}") from None


class _Statements:
    """Compiles a template; `item` is the action that is being compiled."""

    def __init__(self, unit: Unit, tree: nodes.Tree, untyped: frozenset[str]) -> None:
        self.item: nodes.Node = tree.body
        self._unit = unit
        self._tree = tree
        self._emit = Emitter(unit.names)
        self._output = Output(self._emit)
        self._variables = Variables(self._emit, assigned(tree.body), untyped)
        self._pipelines = Pipelines(
            self._emit, self._variables, unit.functions, self._node_number(tree.body)
        )
        self._conditions = Conditions(self._emit, self._pipelines, unit.functions)
        self._loops = Loops(
            self._emit,
            self._output,
            self._variables,
            self._body,
            self._node_number,
            reuse=unit.reuse,
        )

    def function(self, dot: GoType | None) -> Block:
        """Return the code of the whole template."""
        main = self._emit.block
        self._emit.add("w = out.append")
        value = self._emit.checked("dot", dot) if dot is not None else Value("dot")
        if dot is None:
            self._emit.add("if dot is None: dot = MISSING")
        self._variables.declare("$", value)
        self._body(value, self._tree.body)
        self._output.flush()
        return main

    def _node_number(self, node: nodes.Node) -> int:
        return self._unit.node_number(self._tree, node)

    def _body(self, dot: Value, body: nodes.Body) -> None:
        for item in body.items:
            self.item = item
            match item:
                case nodes.Text():
                    self._output.write(item.text)
                case nodes.Action():
                    self._action(dot, item)
                case nodes.If():
                    self._if(dot, item)
                case nodes.With():
                    self._with(dot, item)
                case nodes.Range():
                    self._range(dot, item)
                case nodes.Call():
                    self._call(dot, item)
                case nodes.Break() | nodes.Continue():
                    self._output.flush()
                    self._emit.add("break" if isinstance(item, nodes.Break) else "continue")

    def _action(self, dot: Value, item: nodes.Action) -> None:
        value = self._pipelines.commands(dot, item.pipe)
        if item.pipe.variables:
            self._bind(item.pipe, self._emit.piped(value))
        else:
            self._output.show(value)

    def _bind(self, pipe: nodes.Pipe, value: Value) -> None:
        """Give the variables of a pipeline its value."""
        if pipe.assigns:
            self._output.flush()
        self._variables.bind(pipe, value)

    def _call(self, dot: Value, item: nodes.Call) -> None:
        self._output.flush()
        if item.name not in self._unit.trees:
            self._emit.dead()
            return
        value = Value("MISSING")
        if item.pipe is not None:
            value = self._emit.piped(self._pipelines.commands(dot, item.pipe))
            self._bind(item.pipe, value)
        declared = None if value.is_constant else value.type
        passed = self._emit.boxed(value)
        if declared is not None:
            passed = value.source or value.code
        function = self._unit.function(item.name, static(declared))
        self._emit.add(f"rt.spend(1, {self._node_number(item)})")
        self._emit.add(f"{function}(rt, out, {passed})")

    # Branches

    def _if(self, dot: Value, first: nodes.If) -> None:
        self._output.flush()
        with self._emit.within(self._emit.block):
            self._emit.add(f"if {self._test(dot, first)}:")
            item = first
            for _ in range(MAX_ELSE_IFS):
                with self._output.inside(self._emit.block.indented()):
                    self._body(dot, item.body)
                following = only_if(item.otherwise) if item.otherwise is not None else None
                if following is None:
                    self._else(dot, item.otherwise)
                    return
                self._else_if(dot, following)
                item = following
            raise NotCompilableError(f"an `if` has more than {MAX_ELSE_IFS} `else if`s")

    def _else(self, dot: Value, body: nodes.Body | None) -> None:
        if body is not None:
            self._emit.add("else:")
            with self._output.inside(self._emit.block.indented()):
                self._body(dot, body)

    def _else_if(self, dot: Value, item: nodes.If) -> None:
        extra = Block()
        with self._emit.into(extra):
            test = self._test(dot, item)
        if extra.is_empty():
            self._emit.add(f"elif {test}:")
            return
        self._emit.add("else:")
        self._emit.block = self._emit.block.indented()
        self._emit.block.adopt(extra)
        self._emit.add(f"if {test}:")

    def _test(self, dot: Value, item: nodes.If) -> str:
        if not item.pipe.variables:
            return self._conditions.condition(dot, item.pipe)
        value = self._emit.piped(self._pipelines.commands(dot, item.pipe))
        self._bind(item.pipe, value)
        return value.truth

    def _with(self, dot: Value, item: nodes.With) -> None:
        self._output.flush()
        emit = self._emit
        with emit.within(emit.block):
            value = emit.piped(emit.settled(self._pipelines.commands(dot, item.pipe)))
            self._bind(item.pipe, value)
            emit.add(f"if {value.truth}:")
            with self._output.inside(emit.block.indented()):
                self._body(value, item.body)
            self._else(dot, item.otherwise)

    def _range(self, dot: Value, item: nodes.Range) -> None:
        self._output.flush()
        with self._emit.within(self._emit.block):
            value = self._pipelines.commands(dot, item.pipe)
            self._bind(item.pipe, value)
            self._loops.loop(dot, item, value)
