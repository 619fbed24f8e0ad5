"""Trees to Python functions: one for each template and each type of dot that it is called with.

What the type of the data tells is used: fields become attribute access, read once and checked
when read; loops over known slices and maps become plain loops.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from drove_gateway.gotemplate.compile.actions import FunctionCode
from drove_gateway.gotemplate.compile.errors import ManyTypesError, NotCompilableError
from drove_gateway.gotemplate.compile.expressions import static
from drove_gateway.gotemplate.compile.unit import Unit
from drove_gateway.gotemplate.functions.signatures import Function
from drove_gateway.gotemplate.go.types import GoType
from drove_gateway.gotemplate.run.compiled import HELPERS, Compiled, Run
from drove_gateway.gotemplate.run.limits import Budget
from drove_gateway.gotemplate.syntax import nodes

MAX_SOURCE: Final = 400_000
"""Longer sources are not compiled: Python would take seconds."""


def compile_template(
    trees: Mapping[str, nodes.Tree],
    name: str,
    functions: Mapping[str, Function],
    data_type: GoType | None,
) -> Callable[[object, Budget], str]:
    """A function that renders the template `name` with data of a type (`None`: of any).

    Raises `NotCompilableError`. The function raises `TemplateExecError` when a limit is reached,
    and anything else when the interpreter is to take over.
    """
    if any(len(tree.source) > MAX_SOURCE for tree in trees.values()):
        raise NotCompilableError(f"it has more than {MAX_SOURCE} characters")
    unit = Unit(trees, functions)
    main = unit.function(name, static(data_type))
    scope = dict(HELPERS)
    code = source(unit)
    scope.update(unit.names.globals)
    try:
        exec(compile(code, f"<template {name}>", "exec"), scope)  # noqa: S102 - our own code
    except (SyntaxError, RecursionError, MemoryError) as error:  # beyond what Python can nest
        raise NotCompilableError(f"Python cannot compile its code: {error!r}") from error
    entry: Compiled = scope[main]  # type: ignore[assignment]
    return lambda data, budget: _execute(entry, data, Run(budget, unit.nodes))


def _execute(entry: Compiled, data: object, run: Run) -> str:
    out: list[str] = []
    entry(run, out, data)
    run.flush(out, 0)
    return "".join(run.parts)


def source(unit: Unit) -> str:
    """The code of all functions asked for, and of those they call."""
    lines: list[str] = []
    while (wanted := unit.pop()) is not None:
        name, tree, dot = wanted
        lines.append(f"def {name}(rt, out, dot):")
        lines += _function(unit, tree, dot)
    return "\n".join(lines)


def _function(unit: Unit, tree: nodes.Tree, dot: GoType | None) -> Iterator[str]:
    """The code of one function; a variable is taken to keep its type till it does not."""
    untyped: frozenset[str] = frozenset()
    while True:
        function = FunctionCode(unit, tree, untyped)
        try:
            function.compile(dot)
        except ManyTypesError as error:
            untyped |= {error.name}
        else:
            return function.main.lines(1)
