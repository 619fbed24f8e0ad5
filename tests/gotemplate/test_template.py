"""The public face: `Template`, its functions, its errors."""

import pickle
from collections.abc import Callable

import pytest

from drove_gateway.gotemplate import Template, TemplateError, TemplateExecError, TemplateSyntaxError


def test_name_and_line_of_a_syntax_error() -> None:
    with pytest.raises(TemplateSyntaxError) as caught:
        Template("a\n{{if}}", name="nginx.tmpl")

    assert str(caught.value) == "template: nginx.tmpl:2: missing value for if"
    assert (caught.value.name, caught.value.line) == ("nginx.tmpl", 2)


def test_name_and_line_of_an_execution_error() -> None:
    template = Template('{{define "x"}}\n é{{.A.B}}{{end}}{{template "x" .}}', name="nginx.tmpl")

    with pytest.raises(TemplateExecError) as caught:
        template.render({"A": 1})

    assert str(caught.value) == (
        'template: nginx.tmpl:2:7: executing "x" at <.A.B>: '
        "can't evaluate field B in type interface {}"
    )
    assert (caught.value.name, caught.value.line) == ("nginx.tmpl", 2)


def test_errors_survive_pickling() -> None:
    with pytest.raises(TemplateError) as caught:
        Template("{{x}}")

    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert (str(again), again.name, again.line) == (str(caught.value), "t", 1)


@pytest.mark.parametrize("delims", [("", ""), (None, None), None, ("{{", "}}")])
def test_default_delimiters(delims: tuple[str | None, str | None] | None) -> None:
    assert Template("{{1}}", delims=delims).render({}) == "1"


@pytest.mark.parametrize("delims", [("<%", "%>"), ("[[", "]]"), ("$", "$"), ("«", "»"), ("|", "|")])
def test_custom_delimiters(delims: tuple[str, str]) -> None:
    left, right = delims
    source = f"{{{{x}}}}{left}/* c */{right} a {left}- 1 -{right} b {left} .A {right}"

    assert Template(source, delims=delims).render({"A": 2}) == "{{x}} a1b 2"


def test_functions_of_ones_own_override() -> None:
    funcs: dict[str, Callable[..., object]] = {
        "len": lambda _: "mine",
        "twice": lambda text: text * 2,
        "many": lambda first, *rest: len(rest) + first,
        "maybe": lambda a, b=5: a + b,
        "nothing": lambda: None,
        "break": lambda: "not a keyword",
    }

    def render(source: str) -> str:
        return Template(source, funcs=funcs).render({"L": [1]})

    assert render('{{len .L}} {{twice "ab"}} {{many 1 2 3}}') == "mine abab 3"
    assert (
        render("{{maybe 1}} {{maybe 1 2}} {{nothing}} {{break}}") == "6 3 <no value> not a keyword"
    )


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ("{{boom}}", "2: <boom>: error calling boom: no luck"),
        ("{{typed 1}}", "8: <1>: expected string; found 1"),
        (
            "{{typed .}}",
            "8: <.>: wrong type for value; expected string; got map[string]interface {}",
        ),
        ("{{typed}}", "2: <typed>: wrong number of args for typed: want 1 got 0"),
        ("{{free 1 2}}", "2: <free>: wrong number of args for free: want 1 got 2"),
    ],
)
def test_what_goes_wrong_in_a_function(source: str, problem: str) -> None:
    def boom() -> str:
        raise RuntimeError("no luck")

    def typed(text: str) -> str:
        return text

    template = Template(source, funcs={"boom": boom, "typed": typed, "free": lambda _: 1})
    with pytest.raises(TemplateExecError) as caught:
        template.render({})
    column, what = problem.split(": ", 1)
    assert str(caught.value) == f'template: t:1:{column}: executing "t" at {what}'


def test_a_template_is_rendered_many_times() -> None:
    template = Template("{{$n := 0}}{{range .}}{{$n = .}}{{end}}{{$n}}")

    assert [template.render(data) for data in ([1, 2], [], (3,))] == ["2", "0", "3"]
