"""Python's values as a template sees them."""

import collections
import enum
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

import msgspec
import pytest

from drove_gateway.gotemplate import StringMap, Template, TemplateExecError


class Wire(msgspec.Struct, rename={"name": "Name", "port": "Port", "tags": "Tags"}):
    name: str
    port: Annotated[int, "int32"]
    tags: Mapping[str, str]


class Tuple(NamedTuple):
    Name: str
    Port: int


@dataclass(frozen=True)
class Data:
    Name: str
    Ports: Sequence[int]
    Wires: Mapping[str, Wire]
    Free: object = None


class Plain:
    Name: str

    def __init__(self) -> None:
        self.Name = "plain"
        self.Extra = 5
        self._hidden = 1

    @property
    def Size(self) -> Annotated[int, "int64"]:  # noqa: N802
        return 7

    def Twice(self, text: str) -> str:  # noqa: N802
        return text * 2


class Color(enum.StrEnum):
    RED = "red"


WIRE = Wire("w", 80, {"a": "b"})
DATA = Data("d", (1, 2), {"x": WIRE})


def render(template: str, data: object) -> str:
    return Template(template).render(data)


def message(template: str, data: object) -> str:
    with pytest.raises(TemplateExecError) as caught:
        render(template, data)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "template", "want"),
    [
        (WIRE, "{{.}} {{.Name}} {{.Port}}", "{w 80 map[a:b]} w 80"),
        (Tuple("t", 1), "{{.}} {{.Name}}", "{t 1} t"),
        (DATA, "{{.Name}} {{.Ports}} {{.Wires.x.Name}} {{.Free}}", "d [1 2] w <no value>"),
        (Plain(), '{{.Name}} {{.Extra}} {{.Size}} {{.Twice "ab"}}', "plain 5 7 abab"),
        (types.SimpleNamespace(A=1, B=[2]), "{{.A}}{{range .B}}{{.}}{{end}}", "12"),
        ({"a": Color.RED}, '{{.a}} {{eq .a "red"}} {{len .a}}', "red true 3"),
        (collections.OrderedDict(b=1, a=2), "{{range $k, $v := .}}{{$k}}{{$v}}{{end}}", "a2b1"),
        (types.MappingProxyType({"b": 1, "a": 2}), "{{range .}}{{.}}{{end}}{{.b}}", "211"),
        (("x", "y"), "{{range $i, $e := .}}{{$i}}{{$e}}{{end}}", "0x1y"),
        (b"ab", '{{.}} {{printf "%s" .}} {{len .}}', "[97 98] ab 2"),
        ("日本", "{{len .}} {{slice . 3}} {{index . 0}}", "6 本 230"),
        ("a\udcff", '{{len .}} {{printf "%q" .}}', '2 "a\\xff"'),
        (True, "{{.}} {{not .}}", "true false"),
        (2**63, '{{.}} {{printf "%T" .}}', "9223372036854775808 uint64"),
        ({2: "b", 10: "c", 1: "a"}, "{{range .}}{{.}}{{end}}{{index . 2}}", "abcb"),
        ({"f": lambda a, b: a + b}, "{{call .f 1 2}}", "3"),
        (None, "{{.}} {{.X.Y}} {{with .}}x{{else}}y{{end}}", "<no value> <no value> y"),
    ],
)  # fmt: skip
def test_values(data: object, template: str, want: str) -> None:
    assert render(template, data) == want


def test_a_string_map_gives_the_empty_string_for_a_missing_key() -> None:
    template = '{{index .M "x"}}|{{.M.x}}|{{index .M "a"}}'

    assert render(template, {"M": StringMap(a="b")}) == "|<no value>|b"
    assert render(template, {"M": {"a": "b"}}) == "<no value>|<no value>|b"


def test_a_typed_map_gives_the_zero_value_for_a_missing_key() -> None:
    template = '{{with index .Wires "no"}}{{.}}|{{.Port}}|{{.Tags.a}}|{{index .Tags "a"}}{{end}}'

    assert render(template, DATA) == "{ 0 map[]}|0|<no value>|"


def test_nil_maps_and_slices_are_empty_but_nil() -> None:
    data: Any = Data("d", None, None)  # type: ignore[arg-type]

    assert (
        render("{{.Ports}}{{len .Wires}}{{eq .Wires nil}}{{.Wires.x}}", data) == "[]0true<no value>"
    )
    assert render("{{eq .Wires nil}}", DATA) == "false"


@pytest.mark.parametrize(
    ("data", "template", "want"),
    [
        (WIRE, "{{.Nope}}", "can't evaluate field Nope in type Wire"),
        (WIRE, "{{.name}}", "can't evaluate field name in type Wire"),
        (Plain(), "{{._hidden}}", "can't evaluate field _hidden in type Plain"),
        (Plain(), "{{.__class__}}", "can't evaluate field __class__ in type Plain"),
        (DATA, "{{.Ports.X}}", "can't evaluate field X in type []int"),
        (DATA, "{{.Wires.x.Port.X}}", "can't evaluate field X in type int32"),
        (DATA, "{{.Free.X}}", "nil pointer evaluating interface {}.X"),
        (WIRE, "{{hasPrefix .Port `x`}}", "wrong type for value; expected string; got int32"),
        ({"n": 1}, "{{.n.X}}", "can't evaluate field X in type interface {}"),
        ({"n": None}, "{{.n.X}}", "nil pointer evaluating interface {}.X"),
        ({2: "b"}, "{{.x}}", "can't evaluate field x in type map[int]interface {}"),
        (Plain(), "{{.Twice 1}}", "expected string; found 1"),
        (Plain(), "{{.Twice}}", "wrong number of args for Twice: want 1 got 0"),
        ("s", "{{.upper}}", "can't evaluate field upper in type string"),
    ],
)  # fmt: skip
def test_errors_name_go_types(data: object, template: str, want: str) -> None:
    assert message(template, data).endswith(want)


@pytest.mark.parametrize(
    ("value", "want"),
    [
        (5, "5 5 false"),
        (None, "<no value> <nil> false"),
        (True, "true true false"),
        (["x"], "[x] [x] true"),
        (2.5, "2.5 2.5 false"),
    ],
)
def test_a_hint_that_is_wrong_does_no_harm(value: Any, want: str) -> None:
    lying = Wire(value, 80, {})
    template = '{{.Name}} {{printf "%v" .Name}} {{if eq (printf "%T" .Name) "[]interface {}"}}true{{else}}false{{end}}'  # noqa: E501

    assert render(template, lying) == want


def test_data_of_changing_types_is_rendered_with_one_template() -> None:
    template = Template("{{.Name}}{{.Port}};")

    rows = [WIRE, Tuple("t", 1), {"Name": "m", "Port": 2}, types.SimpleNamespace(Name="s", Port=3)]
    assert "".join(template.render(row) for row in rows) == "w80;t1;m2;s3;"
