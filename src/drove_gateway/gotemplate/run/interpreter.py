"""Execution by walking the tree: exact, unhurried, and the one that words the errors.

It follows Go's text/template step by step, down to which node an error names. The compiler's code
is held against it, and leaves to it whatever it cannot do itself.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, TypeAlias, cast

from drove_gateway.gotemplate.errors import TemplateExecError
from drove_gateway.gotemplate.functions.builtins import truth
from drove_gateway.gotemplate.functions.signatures import Function
from drove_gateway.gotemplate.go.format import sprintf, text
from drove_gateway.gotemplate.go.strconv import quote
from drove_gateway.gotemplate.go.types import ANY, Kind
from drove_gateway.gotemplate.go.values import (
    MISSING,
    box,
    elements,
    entries,
    raw,
    type_of,
)
from drove_gateway.gotemplate.run.arguments import ABSENT, in_place
from drove_gateway.gotemplate.run.evaluation import Evaluation
from drove_gateway.gotemplate.run.limits import MAX_DEPTH, Budget
from drove_gateway.gotemplate.syntax import nodes
from drove_gateway.gotemplate.syntax.trampoline import Steps, run

_Args: TypeAlias = Sequence[nodes.Operand]
_Jump: TypeAlias = nodes.Break | nodes.Continue
_NO_ARGS: Final[_Args] = ()


def interpret(
    trees: Mapping[str, nodes.Tree],
    name: str,
    functions: Mapping[str, Function],
    data: object,
    budget: Budget,
) -> str:
    """Executes the template `name`. Raises `TemplateExecError`."""
    out: list[str] = []
    dot = MISSING if data is None else data
    state = _State(trees, trees[name], functions, budget, out, dot, 0)
    try:
        run(state.walk_body(dot, trees[name].body))
    except TemplateExecError:
        raise
    except RecursionError:
        state.innermost().fail("a value is nested too deeply, or contains itself")
    except Exception as error:  # noqa: BLE001 - objects may raise anything when looked at
        state.innermost().fail(f"{type(error).__name__}: {error}")
    return "".join(out)


class _State(Evaluation):
    """Walks one template. `called` is the walk of a template that this one called."""

    called: "_State | None" = None

    def innermost(self) -> "_State":
        """The walk that is under way."""
        state = self
        while state.called is not None:
            state = state.called
        return state

    def walk_body(self, dot: object, body: nodes.Body) -> Steps[_Jump | None]:
        """Walks the items in turn, and says by which of them the walk was left early."""
        self.node = body
        for item in body.items:
            self.node = item
            self.spend()
            jump: _Jump | None = None
            match item:
                case nodes.Text():
                    self.write(item.text)
                case nodes.Action():
                    value = self.simple_pipeline(dot, item.pipe)
                    if value is ABSENT:
                        yield self.walk_action(dot, item)
                    else:
                        self.show(item, value)
                case nodes.If() | nodes.With():
                    jump = yield self.walk_branch(dot, item)
                case nodes.Range():
                    jump = yield self.walk_range(dot, item)
                case nodes.Call():
                    yield self.walk_call(dot, item)
                case nodes.Break() | nodes.Continue():
                    jump = item
            if jump is not None:
                return jump
        return None

    def walk_action(self, dot: object, item: nodes.Action) -> Steps[None]:
        value = yield self.pipeline(dot, item.pipe)
        if not item.pipe.variables:
            self.show(item, value)

    def show(self, item: nodes.Action, value: object) -> None:
        self.node = item
        if value is MISSING:
            self.write("<no value>")
            return
        if type_of(value).kind is Kind.FUNC:
            self.fail(f"can't print {nodes.text_of(item)} of type {type_of(value).name}")
        self.write(text(value))

    def walk_branch(self, dot: object, item: nodes.If | nodes.With) -> Steps[_Jump | None]:
        mark = len(self.variables)
        value = yield self.pipeline(dot, item.pipe)
        jump = None
        if truth(value):
            inner = value if isinstance(item, nodes.With) else dot
            jump = yield self.walk_body(inner, item.body)
        elif item.otherwise is not None:
            jump = yield self.walk_body(dot, item.otherwise)
        del self.variables[mark:]
        return cast("_Jump | None", jump)

    def walk_call(self, dot: object, item: nodes.Call) -> Steps[None]:
        tree = self.trees.get(item.name)
        if tree is None:
            self.fail(f"template {quote(item.name)} not defined")
        if self.depth == MAX_DEPTH:
            self.fail(f"exceeded maximum template depth ({MAX_DEPTH})")
        self.spend()
        inner = MISSING if item.pipe is None else (yield self.pipeline(dot, item.pipe))
        state = _State(
            self.trees, tree, self.functions, self.budget, self.out, inner, self.depth + 1
        )
        self.called = state
        yield state.walk_body(inner, tree.body)
        self.called = None

    # Range

    def walk_range(self, dot: object, item: nodes.Range) -> Steps[_Jump | None]:
        mark = len(self.variables)
        value = yield self.pipeline(dot, item.pipe)
        top = len(self.variables)
        empty = True
        for index, element in self.iterate(value, item):
            empty = False
            self.spend()
            self.set_range_variables(item.pipe, index, element)
            jump = yield self.walk_body(element, item.body)
            del self.variables[top:]
            if isinstance(jump, nodes.Break):
                break
        jump = None
        if empty and item.otherwise is not None:
            jump = yield self.walk_body(dot, item.otherwise)
        del self.variables[mark:]
        # Go lets a `break` in the `else` of a `range` end that `range`, not the one around it.
        return jump if isinstance(jump, nodes.Continue) else None

    def iterate(self, value: object, item: nodes.Range) -> Iterable[tuple[object, object]]:
        """Pairs of index and element."""
        if value is MISSING:
            return ()
        found = type_of(value)
        if found.kind is Kind.SLICE:
            return ((n, in_place(v, found.item)) for n, v in enumerate(elements(value)))
        if found.kind is Kind.MAP:
            key = found.key or ANY
            return ((in_place(k, key), in_place(v, found.item)) for k, v in entries(value))
        if found.kind not in {Kind.INT, Kind.UINT}:
            self.fail(sprintf("range can't iterate over %v", [value]))
        if len(item.pipe.variables) > 1:
            problem = "can't use %v to iterate over more than one variable"
            self.fail(sprintf(problem, [value]))
        return ((MISSING, box(n, found)) for n in range(cast("int", raw(value))))

    def set_range_variables(self, pipe: nodes.Pipe, index: object, element: object) -> None:
        names = [variable.names[0] for variable in pipe.variables]
        values = [element] if len(names) < 2 else [index, element]
        for at, (name, value) in enumerate(zip(names, values, strict=False)):
            if pipe.assigns:
                self.assign(name, value)
            else:
                place = len(self.variables) - len(names) + at
                self.variables[place] = (self.variables[place][0], value)
