"""The benchmark of rendering can render every shipped template."""

import pytest
from bench.render import GO_SOURCES, compare

from drove_gateway.proxies.installation.template_data import RenderingData
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.templates import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_our_engine_and_jinja2_render_the_same_text(name: str) -> None:
    row = compare(name, vhosts=9, rounds=1, go=None, with_gotpl=False)
    assert row["ours/jinja2"]


def test_go_has_every_function_and_variable_of_a_gateway() -> None:
    go = (GO_SOURCES / "main.go").read_text()
    functions = {name for name in template_functions({}, None) if f'"{name}":' not in go}
    variables = {name for name in RenderingData.__struct_encode_fields__ if f"\t{name} " not in go}
    assert (functions, variables) == (set(), set())
