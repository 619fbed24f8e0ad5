"""docs/reference/templates.md is what the code says, and its examples give what they say."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from tools.reference.template_sample import DATA, rendered
from tools.reference.template_texts import (
    GATEWAY_FUNCTIONS,
    GO_FUNCTIONS,
    STRUCTS,
    TIME_METHODS,
    FunctionDoc,
)
from tools.reference.templates import main, page, times

from drove_gateway.gotemplate.functions.builtins import BUILTINS
from drove_gateway.gotemplate.functions.signatures import Function, function
from drove_gateway.proxies.installation.template_functions import template_functions

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "templates.md"
TEXT = PAGE.read_text("utf-8")
OWN = {name: function(call) for name, call in template_functions({}, None).items()}
STRUCTS_BY_TITLE = {doc.title: doc for doc in STRUCTS.values()}


def rows() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Each row of a table with its title."""
    title = ""
    for line in TEXT.splitlines():
        if line.startswith("### "):
            title = line.removeprefix("### ")
        elif line.startswith("| `"):
            cells = re.split(r"(?<!\\)\|", line)[1:-1]
            yield title, tuple(cell.strip().replace("\\|", "|") for cell in cells)


def examples() -> Iterator[tuple[str, str, str]]:
    for title, (*_, shown) in rows():
        found = re.fullmatch(r"`(.+)` → (?:`(.+)`|nothing)", shown)
        if found:
            yield title, found[1], found[2] or ""


def test_the_committed_page_is_what_is_generated() -> None:
    stale = "run: python -m tools.reference.templates --write"
    assert page() == TEXT, stale


@pytest.mark.parametrize(("title", "example", "gives"), list(examples()))
def test_an_example_gives_what_the_page_says(title: str, example: str, gives: str) -> None:
    around = STRUCTS_BY_TITLE[title].around if title in STRUCTS_BY_TITLE else "{}"
    assert rendered(around.format(example)).strip() == gives


def test_every_row_has_an_example_but_the_one_that_can_have_none() -> None:
    without = [cells[0] for _, cells in rows() if "→" not in cells[-1]]
    assert without == ["`call function a…`"]


def test_the_data_of_the_examples_stands_on_the_page() -> None:
    shown = re.search(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert shown is not None
    assert msgspec.json.decode(shown[1], type=type(DATA)) == DATA


@pytest.mark.parametrize("struct", STRUCTS)
def test_every_variable_is_documented_and_no_other(struct: type[msgspec.Struct]) -> None:
    names = {field.encode_name for field in msgspec.structs.fields(struct)}
    assert STRUCTS[struct].variables.keys() == names


@pytest.mark.parametrize(
    ("documented", "known"),
    [(GO_FUNCTIONS, BUILTINS), (GATEWAY_FUNCTIONS, OWN), (TIME_METHODS, times())],
)
def test_every_function_is_documented_with_all_its_arguments_and_no_other(
    documented: Mapping[str, FunctionDoc], known: Mapping[str, Function]
) -> None:
    assert documented.keys() == known.keys()
    for name, entry in documented.items():
        called, *arguments = entry.usage.split()
        assert called.removeprefix(".") == name
        more = known[name].variadic is not None
        assert len(arguments) == len(known[name].params) + more, name
        assert entry.usage.endswith("…") == more, name


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    path = tmp_path / "templates.md"

    def run(option: str) -> int:
        return CliRunner().invoke(main, [option, str(tmp_path)]).exit_code

    assert run("--check") == 1
    assert run("--write") == 0
    assert run("--check") == 0
    path.write_text("old")
    assert run("--check") == 1
