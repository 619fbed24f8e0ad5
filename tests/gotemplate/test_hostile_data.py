"""Whatever data does when it is looked at, rendering raises nothing but TemplateExecError."""

import contextlib
import enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.gotemplate import Template, TemplateExecError

TEMPLATES = (
    "{{.}}",
    "{{.A}}",
    "{{.A.B}}",
    "{{range .}}{{.}}{{end}}",
    "{{if .}}{{end}}",
    "{{len .}}",
    "{{index . 0}}",
    "{{eq . .}}",
    '{{printf "%d %q %#v" . . .}}',
    '{{define "x"}}{{.A}}{{end}}{{template "x" .}}',
)


class Explosive:
    """Raises at every touch."""

    __hash__ = None  # type: ignore[assignment]

    def __getattr__(self, name: str) -> object:
        raise ValueError(name)

    def __eq__(self, other: object) -> bool:
        raise ValueError("eq")

    def __bool__(self) -> bool:
        raise ValueError("bool")

    def __len__(self) -> int:
        raise ValueError("len")

    def __str__(self) -> str:
        raise ValueError("str")


class BadProperty:
    @property
    def A(self) -> str:  # noqa: N802
        raise RuntimeError("broken")


class Grade(enum.IntEnum):
    A = 1


def cyclic_list() -> list[object]:
    found: list[object] = [1]
    found.append(found)
    return found


def cyclic_map() -> dict[str, object]:
    found: dict[str, object] = {}
    found["A"] = found
    return found


def deep_list() -> list[object]:
    found: list[object] = []
    for _ in range(5000):
        found = [found]
    return found


HOSTILE = [
    Explosive(),
    BadProperty(),
    Grade.A,
    cyclic_list(),
    cyclic_map(),
    deep_list(),
    {1: 2, "A": 3, None: 4},
    {"A": b"\xff", "B": {1, 2}},
    2**80,
    object(),
    type,
    len,
    (number for number in range(3)),
]


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("data", HOSTILE, ids=lambda data: type(data).__name__)
def test_hostile_data_is_an_execution_error_at_worst(template: str, data: object) -> None:
    with contextlib.suppress(TemplateExecError):
        assert isinstance(Template(template, max_steps=10_000).render(data), str)


def test_an_error_inside_a_value_names_the_place_and_the_template() -> None:
    template = Template('{{define "x"}}\n{{.A}}{{end}}{{template "x" .}}', name="t.tmpl")
    with pytest.raises(TemplateExecError, match=r't.tmpl:2:2: executing "x" at <.A>: .*broken'):
        template.render(BadProperty())


def test_a_value_that_contains_itself_is_said_to_do_so() -> None:
    with pytest.raises(TemplateExecError, match="contains itself"):
        Template("{{.}}").render(cyclic_list())


@given(st.text(alphabet=st.characters(), max_size=20))
def test_what_is_rendered_can_be_written_to_a_file(text: str) -> None:
    written = Template('{{.}}{{printf "%s" .}}{{slice . 0 0}}').render(text)
    written.encode("utf-8", "surrogateescape")


def test_bytes_of_a_character_that_meet_again_are_the_character() -> None:
    assert Template("{{slice . 0 1}}{{slice . 1}}").render("é") == "é"
    assert Template('{{.}}{{"\\xc3"}}{{"\\xa9"}}').render("\ud800") == "\ufffdé"
