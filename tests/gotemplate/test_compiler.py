"""What the compiler makes of what the types tell."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from drove_gateway.gotemplate.compile.compiler import source
from drove_gateway.gotemplate.compile.errors import NotCompilableError
from drove_gateway.gotemplate.compile.unit import Unit
from drove_gateway.gotemplate.go.types import GoType, struct_of
from drove_gateway.gotemplate.syntax.parser import parse
from drove_gateway.gotemplate.template import available_functions


@dataclass(frozen=True)
class Server:
    Name: str
    Port: int


@dataclass(frozen=True)
class Root:
    Title: str
    Servers: tuple[Server, ...]
    ByName: Mapping[str, Server]


ROOT = struct_of(Root)


def code(template: str, dot: GoType | None = ROOT) -> str:
    functions = available_functions({})
    trees = parse(template, name="t", delims=("", ""), functions=functions)
    unit = Unit(trees, functions)
    unit.function("t", dot)
    return source(unit)


def test_a_field_is_read_once_and_outside_of_loops() -> None:
    made = code("{{range .Servers}}{{.Name}}{{.Name}}{{$.Title}}{{$.Title}}{{end}}")

    assert made.count(".Name") == 1
    assert made.count(".Title") == 1
    assert made.index(".Title") < made.index("for ")


def test_text_and_values_are_written_together() -> None:
    made = code("{{range .Servers}}server {{.Name}}:{{.Port}};\n{{end}}")

    assert made.count("w(f") == 1


def test_known_types_need_no_helpers() -> None:
    made = code(
        '{{range $name, $s := .ByName}}{{if and (eq $s.Name "a") (gt $s.Port 80)}}{{$name}}'
        '{{printf "%s:%d" $s.Name $s.Port}}{{hostport $s.Name $s.Port}}{{end}}{{end}}'
    )

    for helper in ("select(", "show(", "truth(", "box(", "invoke(", "index("):
        assert helper not in made


def test_a_variable_keeps_the_type_of_what_it_is_given() -> None:
    assert "show(" not in code('{{$x := ""}}{{range .Servers}}{{$x = .Name}}{{end}}{{$x}}')
    assert "show(" in code('{{$x := ""}}{{range .Servers}}{{$x = .Port}}{{end}}{{$x}}')


def test_a_template_is_compiled_for_each_type_that_it_is_called_with() -> None:
    template = (
        '{{define "x"}}{{.}}{{end}}{{template "x" .Title}}{{template "x" 1}}{{template "x" 2}}'
    )

    assert code(template).count("def ") == 3


@pytest.mark.parametrize(
    "template",
    [
        "{{and 0 ($x := 1)}}",
        "{{range 3}}{{range 0}}{{else}}{{break}}{{end}}{{end}}",
        "{{if 1}}" * 50 + "{{end}}" * 50,
        "{{" + "(" * 50 + "1" + ")" * 50 + "}}",
    ],
)
def test_what_is_left_to_the_interpreter(template: str) -> None:
    with pytest.raises(NotCompilableError):
        code(template)
