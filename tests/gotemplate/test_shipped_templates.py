"""The shipped templates run as compiled code: a fall back to the interpreter would be slow."""

import pytest
from bench.render import FUNCTIONS, rendering_data

from drove_gateway.gotemplate.compile.compiler import compile_template
from drove_gateway.gotemplate.go.values import type_of
from drove_gateway.gotemplate.run.interpreter import interpret
from drove_gateway.gotemplate.run.limits import MAX_OUTPUT, MAX_STEPS, Budget
from drove_gateway.gotemplate.syntax.parser import parse
from drove_gateway.gotemplate.template import available_functions
from drove_gateway.templates import NAMES, shipped


def budget() -> Budget:
    return Budget(MAX_STEPS, MAX_OUTPUT)


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_template_is_compiled_and_renders_as_interpreted(name: str) -> None:
    functions = available_functions(FUNCTIONS)
    trees = parse(shipped(name), name=name, delims=("{{", "}}"), functions=functions)
    data = rendering_data(30, "haproxy")
    compiled = compile_template(trees, name, functions, type_of(data))
    assert compiled(data, budget()) == interpret(trees, name, functions, data, budget())
