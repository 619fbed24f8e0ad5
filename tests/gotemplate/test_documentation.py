"""docs/templates.md says what is true: its examples are run, and nothing is left out."""

import re
from collections.abc import Iterator
from datetime import timedelta, timezone
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from drove_gateway.gotemplate import Template, TemplateError
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.proxies.installation.template_data import RenderingData
from drove_gateway.proxies.installation.template_functions import template_functions

PAGE = Path(__file__).parents[2] / "docs" / "templates.md"
TEXT = PAGE.read_text("utf-8")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MOMENT = GoTime(
    1_795_352_254_920_249_000,
    timezone(timedelta(hours=5, minutes=30), "IST"),
    monotonic=21_157_671_355,
)


class Example(NamedTuple):
    line: int
    template: str
    kind: str
    want: str


def examples() -> Iterator[Example]:
    blocks = list(BLOCK.finditer(TEXT))
    for block, following in pairwise(blocks):
        if block[1] == "gotemplate":
            line = TEXT.count("\n", 0, block.start()) + 1
            yield Example(line, block[2], following[1], following[2])


def data() -> RenderingData:
    json = next(block[2] for block in BLOCK.finditer(TEXT) if block[1] == "json")
    return msgspec.json.decode(json, type=RenderingData)


def datetime() -> GoTime:
    return MOMENT


def outcome(template: str) -> tuple[str, str]:
    functions = {
        **template_functions({"HOME": "/root"}, (1, 28, 0)),
        "datetime": datetime,
    }
    try:
        text = Template(template, name="nginx.tmpl", funcs=functions).render(data())
    except TemplateError as error:
        return "error", f"{error}\n"
    return "text", text


@pytest.mark.parametrize("example", list(examples()), ids=lambda example: f"line {example.line}")
def test_an_example_gives_what_the_page_says(example: Example) -> None:
    assert outcome(example.template) == (example.kind, example.want)


def test_the_python_example_runs() -> None:
    code = next(block[2] for block in BLOCK.finditer(TEXT) if block[1] == "python")
    exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102
