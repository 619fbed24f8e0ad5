"""Trees to Python: a function for each template and each type of dot that it is called with.

The code relies on the type of the data: fields become attributes, read once and checked when they
are read; loops over known slices and maps become plain loops.
"""

from collections.abc import Callable, Mapping
from typing import Final

from drove_gateway.gotemplate.compile.codegen import Block
from drove_gateway.gotemplate.compile.errors import ManyTypesError, NotCompilableError
from drove_gateway.gotemplate.compile.statements import function_body
from drove_gateway.gotemplate.compile.static_types import static
from drove_gateway.gotemplate.compile.unit import Unit
from drove_gateway.gotemplate.functions.signatures import Function
from drove_gateway.gotemplate.go.types import GoType
from drove_gateway.gotemplate.run.compiled import IN_CODE, Compiled, Run
from drove_gateway.gotemplate.run.limits import Budget
from drove_gateway.gotemplate.run.passes import PassMemory
from drove_gateway.gotemplate.syntax import nodes

MAX_SOURCE: Final = 400_000
"""Longer sources are not compiled: Python would take seconds."""


def compile_template(
    trees: Mapping[str, nodes.Tree],
    name: str,
    functions: Mapping[str, Function],
    data_type: GoType | None,
    *,
    reuse: bool = False,
) -> Callable[[object, Budget], str]:
    """Return a function that renders the template `name` with data of a type (`None`: of any).

    With `reuse`, see `Template`.

    Raises `NotCompilableError`. The function raises `TemplateExecError` when a limit is reached,
    and anything else when the interpreter has to take over.
    """
    if any(len(tree.source) > MAX_SOURCE for tree in trees.values()):
        raise NotCompilableError(f"it has more than {MAX_SOURCE} characters")
    unit = Unit(trees, functions, reuse=reuse)
    main = unit.function(name, static(data_type))
    scope = dict(IN_CODE)
    code = source(unit)
    scope.update(unit.names.globals)
    try:
        exec(compile(code, f"<template {name}>", "exec"), scope)  # noqa: S102 - our own code
    except (SyntaxError, RecursionError, MemoryError) as error:  # beyond what Python can nest
        raise NotCompilableError(f"Python cannot compile its code: {error!r}") from error
    entry: Compiled = scope[main]  # type: ignore[assignment]
    memory = PassMemory()
    return lambda data, budget: _execute(entry, data, Run(budget, unit.nodes, memory))


def _execute(entry: Compiled, data: object, run: Run) -> str:
    out: list[str] = []
    entry(run, out, data)
    run.flush(out, 0)
    return "".join(run.parts)


def source(unit: Unit) -> str:
    """Return the code of all functions that are wanted, and of those that they call."""
    lines: list[str] = []
    while (wanted := unit.pop()) is not None:
        name, tree, dot = wanted
        lines.append(f"def {name}(rt, out, dot):")
        lines += _function(unit, tree, dot).lines(1)
    return "\n".join(lines)


def _function(unit: Unit, tree: nodes.Tree, dot: GoType | None) -> Block:
    """Return the code of a function; a variable is typed unless its values turn out to differ."""
    untyped: frozenset[str] = frozenset()
    while True:
        try:
            return function_body(unit, tree, dot, untyped)
        except ManyTypesError as error:
            untyped |= {error.name}
