"""What compiled code cannot do is left to the slow interpreter, and never silently."""

from dataclasses import dataclass

import pytest

from drove_gateway.gotemplate import Template, TemplateExecError


@dataclass(frozen=True)
class Server:
    Name: str
    Port: int


def test_compiled_code_needs_no_reason() -> None:
    template = Template("{{range .}}{{.Name}}{{end}}")
    assert template.render([Server("a", 1)]) == "a"
    assert template.interpreted_because == ""


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{and 0 ($x := 1)}}", "a variable is declared or assigned inside parentheses"),
        ("{{if 1}}" * 50 + "{{end}}" * 50, "actions and parentheses nest more than 40 deep"),
        ("{{" + "(" * 50 + "1" + ")" * 50 + "}}", "actions and parentheses nest more than 40 deep"),
        ("{{range 1}}" * 16 + "{{end}}" * 16, "loops nest more than 15 deep"),
        (
            "{{if false}}" + "{{else if false}}" * 60 + "{{end}}",
            "an `if` has more than 50 `else if`s",
        ),
        (
            "{{range 3}}{{range 0}}{{else}}{{break}}{{end}}{{end}}",
            "the `else` of a `range` contains a `break`",
        ),
        ('{{"' + "x" * 9000 + '"}}', "a string constant has more than 8192 characters"),
        ("x" * 400_001, "it has more than 400000 characters"),
    ],
)
def test_a_template_that_cannot_be_compiled_says_why(source: str, reason: str) -> None:
    template = Template(source)
    template.render({})
    assert reason in template.interpreted_because


def test_a_reason_names_the_line_of_the_template() -> None:
    template = Template("first\n\n{{and true ($x := 1)}}\n", name="nginx.tmpl")
    template.render({})
    assert template.interpreted_because.startswith("line 3 of nginx.tmpl: ")


@pytest.mark.parametrize(
    ("source", "data", "reason"),
    [
        (
            '{{len (replace .Name "a" "0123456789" -1)}}',
            Server("a" * 1000, 1),
            "a function returned more than 8192 characters",
        ),
        ('{{len (printf "%9000d" 1)}}', {}, "a format of printf is long, or its width may be"),
        ("{{.Port}}", Server("a", "80"), "a value is not of its declared type int"),  # type: ignore[arg-type]
    ],
)
def test_data_that_compiled_code_cannot_handle_is_the_reason(
    source: str, data: object, reason: str
) -> None:
    template = Template(source)
    template.render(data)
    assert reason in template.interpreted_because


def test_the_reason_is_that_of_the_last_rendering() -> None:
    template = Template("{{.Port}}")
    template.render(Server("a", "80"))  # type: ignore[arg-type]
    assert template.interpreted_because
    template.render(Server("a", 80))
    assert template.interpreted_because == ""


def test_an_error_of_the_template_is_raised_as_ever() -> None:
    with pytest.raises(TemplateExecError, match="can't evaluate field Nothing"):
        Template("{{.Nothing}}").render(Server("a", 1))
