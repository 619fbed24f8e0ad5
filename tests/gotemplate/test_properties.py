"""Whatever is in a template or in its data: the two errors, and nothing else."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.gotemplate import fuzz
from tests.gotemplate.differential.data import MAPS
from tests.gotemplate.differential.templates import drawn, plain_template
from tests.gotemplate.sample import outcome

from drove_gateway.gotemplate import Template

DATA = fuzz.sample_data()
RANDOM = st.randoms(use_true_random=False)


@given(st.text())
def test_any_text_parses_or_is_a_syntax_error(source: str) -> None:
    found = outcome(lambda: Template(source).render(None))

    assert found.get("message", "template: t:").startswith("template: t:")


@given(st.lists(st.sampled_from(fuzz.TOKENS), max_size=30).map("".join))
def test_any_sequence_of_tokens_ends_in_text_or_in_one_of_the_errors(source: str) -> None:
    fuzz.check(source, DATA["map"])


@settings(deadline=None)
@given(RANDOM, st.sampled_from(sorted(DATA)))
def test_a_damaged_template_ends_in_text_or_in_one_of_the_errors(random: Random, name: str) -> None:
    fuzz.check(fuzz.damaged(random, fuzz.written(random, name)), DATA[name])


@settings(deadline=None)
@given(drawn(plain_template), MAPS)
def test_interpreter_and_compiler_agree_on_any_data(template: str, data: object) -> None:
    fuzz.check(template, data)


@given(st.recursive(st.none() | st.booleans() | st.text() | st.binary() | st.floats(), st.lists))
def test_any_value_can_be_printed(value: object) -> None:
    Template('{{.}}{{print .}}{{printf "%v %+v %#v %T %q %x %s %d" . . . . . . . .}}').render(value)


@pytest.mark.parametrize("value", [object(), {1, 2}, range(3), len, Exception("x"), 2**70, ...])
def test_values_that_go_does_not_have_do_not_break_it(value: object) -> None:
    found = outcome(lambda: Template("{{.}}{{len .}}").render(value))

    assert "executing" in found.get("message", "executing")
