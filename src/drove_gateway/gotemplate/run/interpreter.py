"""Execution by walking the tree: exact, slow, and the source of every error's text.

It follows Go's text/template step by step, down to which node an error names. Compiled code is
tested against it, and leaves to it whatever it cannot do itself.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias, cast

from drove_gateway.gotemplate.errors import TemplateExecError
from drove_gateway.gotemplate.functions.builtins import truth
from drove_gateway.gotemplate.functions.signatures import Function
from drove_gateway.gotemplate.go.format import sprintf, text
from drove_gateway.gotemplate.go.strconv import quote
from drove_gateway.gotemplate.go.types import ANY, Kind
from drove_gateway.gotemplate.go.values import MISSING, box, elements, entries, raw, type_of
from drove_gateway.gotemplate.run.arguments import ABSENT, in_place
from drove_gateway.gotemplate.run.evaluation import Evaluation
from drove_gateway.gotemplate.run.frame import Frame
from drove_gateway.gotemplate.run.limits import MAX_DEPTH, Budget
from drove_gateway.gotemplate.syntax import nodes
from drove_gateway.gotemplate.syntax.trampoline import Steps, run

_Jump: TypeAlias = nodes.Break | nodes.Continue


def interpret(
    trees: Mapping[str, nodes.Tree],
    name: str,
    functions: Mapping[str, Function],
    data: object,
    budget: Budget,
) -> str:
    """Execute the template `name`. Raises `TemplateExecError`."""
    out: list[str] = []
    dot = MISSING if data is None else data
    walk = _Walk(trees, functions, Frame(trees[name], budget, out, dot, 0))
    try:
        run(walk.body(dot, trees[name].body))
    except TemplateExecError:
        raise
    except RecursionError:
        walk.innermost().fail("a value is nested too deeply, or contains itself")
    except Exception as error:  # noqa: BLE001 - objects may raise anything when looked at
        walk.innermost().fail(f"{type(error).__name__}: {error}")
    return "".join(out)


class _Walk:
    """Walks a template. `_called` is the walk of a template that this template called."""

    def __init__(
        self, trees: Mapping[str, nodes.Tree], functions: Mapping[str, Function], frame: Frame
    ) -> None:
        self._trees = trees
        self._functions = functions
        self._frame = frame
        self._evaluation = Evaluation(frame, functions)
        self._called: _Walk | None = None

    def innermost(self) -> Frame:
        """Return the frame of the template that is being executed."""
        walk = self
        while walk._called is not None:
            walk = walk._called
        return walk._frame

    def body(self, dot: object, body: nodes.Body) -> Steps[_Jump | None]:
        """Walk the items in turn; return the `break` or `continue` that ended the walk early."""
        self._frame.node = body
        for item in body.items:
            self._frame.node = item
            self._frame.spend()
            jump: _Jump | None = None
            match item:
                case nodes.Text():
                    self._frame.write(item.text)
                case nodes.Action():
                    value = self._evaluation.simple_pipeline(dot, item.pipe)
                    if value is ABSENT:
                        yield self._action(dot, item)
                    else:
                        self._show(item, value)
                case nodes.If() | nodes.With():
                    jump = yield self._branch(dot, item)
                case nodes.Range():
                    jump = yield self._range(dot, item)
                case nodes.Call():
                    yield self._call(dot, item)
                case nodes.Break() | nodes.Continue():
                    jump = item
            if jump is not None:
                return jump
        return None

    def _action(self, dot: object, item: nodes.Action) -> Steps[None]:
        value = yield self._evaluation.pipeline(dot, item.pipe)
        if not item.pipe.variables:
            self._show(item, value)

    def _show(self, item: nodes.Action, value: object) -> None:
        self._frame.node = item
        if value is MISSING:
            self._frame.write("<no value>")
            return
        if type_of(value).kind is Kind.FUNC:
            name = type_of(value).name
            self._frame.fail(f"can't print {nodes.text_of(item)} of type {name}")
        self._frame.write(text(value))

    def _branch(self, dot: object, item: nodes.If | nodes.With) -> Steps[_Jump | None]:
        visible = len(self._frame.variables)
        value = yield self._evaluation.pipeline(dot, item.pipe)
        jump = None
        if truth(value):
            inner = value if isinstance(item, nodes.With) else dot
            jump = yield self.body(inner, item.body)
        elif item.otherwise is not None:
            jump = yield self.body(dot, item.otherwise)
        del self._frame.variables[visible:]
        return cast("_Jump | None", jump)

    def _call(self, dot: object, item: nodes.Call) -> Steps[None]:
        tree = self._trees.get(item.name)
        if tree is None:
            self._frame.fail(f"template {quote(item.name)} not defined")
        if self._frame.depth == MAX_DEPTH:
            self._frame.fail(f"exceeded maximum template depth ({MAX_DEPTH})")
        self._frame.spend()
        inner: object = MISSING
        if item.pipe is not None:
            inner = yield self._evaluation.pipeline(dot, item.pipe)
        self._called = _Walk(self._trees, self._functions, self._frame.inner(tree, inner))
        yield self._called.body(inner, tree.body)
        self._called = None

    # Range

    def _range(self, dot: object, item: nodes.Range) -> Steps[_Jump | None]:
        frame = self._frame
        visible = len(frame.variables)
        value = yield self._evaluation.pipeline(dot, item.pipe)
        inside = len(frame.variables)
        empty = True
        for index, element in self._pairs(value, item):
            empty = False
            frame.spend()
            self._set_range_variables(item.pipe, index, element)
            jump = yield self.body(element, item.body)
            del frame.variables[inside:]
            if isinstance(jump, nodes.Break):
                break
        jump = None
        if empty and item.otherwise is not None:
            jump = yield self.body(dot, item.otherwise)
        del frame.variables[visible:]
        # Go lets a `break` in the `else` of a `range` end that `range`, not the loop around it.
        return jump if isinstance(jump, nodes.Continue) else None

    def _pairs(self, value: object, item: nodes.Range) -> Iterable[tuple[object, object]]:
        """Return the pairs of index and element that a loop goes over."""
        if value is MISSING:
            return ()
        found = type_of(value)
        if found.kind is Kind.SLICE:
            return ((n, in_place(v, found.item)) for n, v in enumerate(elements(value)))
        if found.kind is Kind.MAP:
            key = found.key or ANY
            return ((in_place(k, key), in_place(v, found.item)) for k, v in entries(value))
        if found.kind not in {Kind.INT, Kind.UINT}:
            self._frame.fail(sprintf("range can't iterate over %v", [value]))
        if len(item.pipe.variables) > 1:
            problem = "can't use %v to iterate over more than one variable"
            self._frame.fail(sprintf(problem, [value]))
        return ((MISSING, box(n, found)) for n in range(cast("int", raw(value))))

    def _set_range_variables(self, pipe: nodes.Pipe, index: object, element: object) -> None:
        variables = self._frame.variables
        names = [variable.names[0] for variable in pipe.variables]
        values = [element] if len(names) < 2 else [index, element]
        for at, (name, value) in enumerate(zip(names, values, strict=False)):
            if pipe.assigns:
                self._frame.assign(name, value)
            else:
                place = len(variables) - len(names) + at
                variables[place] = (variables[place][0], value)
