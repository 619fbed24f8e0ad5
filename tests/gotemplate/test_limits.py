"""Templates that would not end, or would not fit, end in an error or are rendered."""

import pytest

from drove_gateway.gotemplate import Template, TemplateExecError, TemplateSyntaxError

DEEP = 1_500


@pytest.mark.parametrize(
    "template",
    [
        "{{if true}}" * DEEP + "x" + "{{end}}" * DEEP,
        "{{with 1}}" * DEEP + "x" + "{{end}}" * DEEP,
        "{{range 1}}" * DEEP + "x" + "{{end}}" * DEEP,
        "{{if false}}" + "{{else if false}}" * DEEP + "{{else}}x{{end}}",
        "{{with false}}" + "{{else with false}}" * DEEP + "{{else}}x{{end}}",
        "{{" + "(" * DEEP + '"x"' + ")" * DEEP + "}}",
        "{{" + "print (" * DEEP + '"x"' + ")" * DEEP + "}}",
        "{{" + "and 1 (" * DEEP + '"x"' + ")" * DEEP + "}}",
        '{{"x"' + " | print" * DEEP + "}}",
        "{{print" + ' ""' * DEEP + ' "x"}}',
    ],
    ids=["if", "with", "range", "else if", "else with", "parens", "calls", "and", "pipe", "args"],
)
def test_deep_or_long_templates_render(template: str) -> None:
    assert Template(template).render({}) == "x"


def test_an_error_far_inside_is_still_named() -> None:
    template = "{{if true}}" * DEEP + "\n{{len 3}}" + "{{end}}" * DEEP

    with pytest.raises(TemplateExecError, match=r"t:2:2: .*<len 3>.*len of type int") as caught:
        Template(template).render({})
    assert caught.value.line == 2


def test_parentheses_nest_as_deeply_as_in_go() -> None:
    with pytest.raises(TemplateSyntaxError, match="max expression depth exceeded"):
        Template("{{" + "(" * 10_001 + "1" + ")" * 10_001 + "}}")


def test_templates_may_call_themselves_deeply() -> None:
    template = '{{define "a"}}{{if .}}{{template "a" (slice . 1)}}{{end}}x{{end}}{{template "a" .}}'

    assert Template(template).render([0] * 2_000) == "x" * 2_001


def test_endless_recursion_ends_where_go_ends_it() -> None:
    with pytest.raises(TemplateExecError, match=r"exceeded maximum template depth \(100000\)"):
        Template('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}').render({})


@pytest.mark.parametrize(
    "template",
    [
        "{{range 1000000000}}{{end}}",
        "{{range 100000}}{{range 100000}}{{if false}}{{break}}{{end}}{{end}}{{end}}",
        '{{define "a"}}{{range 10}}{{template "a"}}{{end}}{{end}}{{template "a"}}',
        '{{$x := "ab"}}{{range 60}}{{$x = printf "%s%s" $x $x}}{{end}}',
        '{{$x := "ab"}}{{range 60}}{{$x = print $x $x}}{{end}}',
        '{{$x := "<"}}{{range 60}}{{$x = html $x $x}}{{end}}',
        '{{range 1000000}}{{$x := printf "%1000000d" 1}}{{end}}',
        '{{printf "' + "%[1]1000000d" * 300 + '" 1}}',
        '{{$x := printf "%100000d" 1}}{{range 100000}}{{$y := split $x ""}}{{end}}',
        '{{$x := printf "%100000d" 1}}{{range 100000}}{{$y := eq $x "a"}}{{end}}',
    ],
)
def test_work_is_bounded(template: str) -> None:
    with pytest.raises(TemplateExecError, match="exceeded maximum of 100000 steps"):
        Template(template, max_steps=100_000).render({})


@pytest.mark.parametrize("call", ['replace $x "" $x -1', 'join (split $x "") $x'])
def test_no_function_makes_gigabytes_of_megabytes(call: str) -> None:
    template = f'{{{{$x := printf "%500000d" 1}}}}{{{{len ({call})}}}}'

    with pytest.raises(TemplateExecError, match="the result would have more than 67108864"):
        Template(template).render({})


def test_only_passes_that_are_made_count() -> None:
    assert Template("{{range 1000000000}}{{.}}{{break}}{{end}}").render({}) == "0"


@pytest.mark.parametrize(
    "template",
    [
        "{{range 100000}}0123456789{{end}}",
        '{{$x := printf "%8000d" 1}}{{range 1000}}{{$x}}{{end}}',
        '{{$x := printf "%100000d" 1}}{{range 1000}}{{$x}}{{end}}',
    ],
)
def test_output_is_bounded(template: str) -> None:
    with pytest.raises(TemplateExecError, match="exceeded maximum output of 100000 characters"):
        Template(template, max_output=100_000).render({})


def test_the_limits_leave_room_for_real_work() -> None:
    template = "{{range .}}{{range $}}{{range .}}{{.}}{{end}}{{end}}{{end}}"

    assert len(Template(template).render([["x"] * 10] * 300)) == 300 * 300 * 10


def test_output_is_bounded_far_above_the_need_of_100_000_servers() -> None:
    """The shipped templates need 13 million characters for them."""
    line = "x" * 1023 + "\n"
    text = Template(f"{{{{range 20000}}}}{line}{{{{end}}}}").render({})
    assert len(text) == 20_000 * 1024
    with pytest.raises(TemplateExecError, match="exceeded maximum output of 67108864 characters"):
        Template(f"{{{{range 70000}}}}{line}{{{{end}}}}").render({})
