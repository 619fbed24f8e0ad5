"""Our engine against Go's text/template: the same output, or rejected at the same stage."""

from datetime import UTC

from hypothesis import HealthCheck, Phase, given, settings
from tests.gotemplate.differential.data import MAPS, TOPOLOGIES
from tests.gotemplate.differential.reference import Answer, Reference
from tests.gotemplate.differential.templates import (
    drawn,
    plain_template,
    seeded,
    typed_template,
)
from tests.gotemplate.differential.words import in_our_words, without_package

from drove_gateway.gotemplate import Template, TemplateExecError, TemplateSyntaxError
from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.model.vocabulary import Topology

FUNCTIONS = gateway_functions({"HOME": "/root"}, lambda: GoTime(0, UTC))
# Go stops there for reasons of its own: a template that writes too much, or a broken runtime.
NOT_COMPARED = {"limit", "panic"}


def so_many(examples: int, *, shrink: bool) -> settings:
    return settings(
        max_examples=examples,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


def ours(template: str, data: object) -> Answer:
    try:
        parsed = Template(template, name="t", funcs=FUNCTIONS)
        return Answer(parsed.render(data), "", "")
    except TemplateSyntaxError as error:
        return Answer("", "parse", str(error))
    except TemplateExecError as error:
        return Answer("", "exec", str(error))


def assert_same(reference: Reference, template: str, data: object) -> None:
    go, we = reference.ask(template, data), ours(template, data)
    if go.stage in NOT_COMPARED:
        return
    if go.stage or we.stage:
        assert (we.stage, we.message) == (go.stage, in_our_words(go.message)), template
    else:
        assert we.output == without_package(go.output), template


@so_many(150, shrink=True)
@given(template=drawn(plain_template), data=MAPS)
def test_a_template_over_plain_data(reference: Reference, template: str, data: object) -> None:
    assert_same(reference, template, data)


@so_many(150, shrink=True)
@given(template=drawn(typed_template), data=TOPOLOGIES)
def test_a_template_over_typed_data(reference: Reference, template: str, data: Topology) -> None:
    assert_same(reference, template, data)


@so_many(150, shrink=False)
@given(written=seeded(plain_template, 10), data=MAPS)
def test_thousands_of_templates_over_plain_data(
    reference: Reference, written: list[str], data: object
) -> None:
    for template in written:
        assert_same(reference, template, data)


@so_many(150, shrink=False)
@given(written=seeded(typed_template, 10), data=TOPOLOGIES)
def test_thousands_of_templates_over_typed_data(
    reference: Reference, written: list[str], data: Topology
) -> None:
    for template in written:
        assert_same(reference, template, data)
