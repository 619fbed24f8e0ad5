"""What editors say of the examples: they fit the JSON schema, and what is wrong does not."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "docs" / "reference" / "nixy.schema.json"
EXAMPLES = sorted((ROOT / "examples").glob("*.toml"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
VALIDATOR = Draft202012Validator(json.loads(SCHEMA.read_text()))
BLOCKS = [
    (f"{page.name}-{number}", block)
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL), 1
    )
]


def complaints(text: str) -> list[str]:
    return [error.message for error in VALIDATOR.iter_errors(tomllib.loads(text))]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(VALIDATOR.schema)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_fits_the_schema_and_names_it(path: Path) -> None:
    assert complaints(path.read_text()) == []
    first = path.read_text().splitlines()[0]
    assert (path.parent / first.removeprefix("#:schema ")).resolve() == SCHEMA


@pytest.mark.parametrize("block", [block for _, block in BLOCKS], ids=[name for name, _ in BLOCKS])
def test_every_configuration_in_the_documentation_fits_the_schema(block: str) -> None:
    assert complaints(block) == []


@pytest.mark.parametrize(
    "wrong",
    [
        "proxy_platform = 'envoy'",
        "api_timeout = 0",
        "haproxy_socket = '/run/haproxy/admin.sock'",
        "[[namespaces]]\nname = 'stage1'",
        "[[namespaces]]\nname = 'stage1'\ndrove = 'http://controller1:10000'",
    ],
)
def test_what_is_wrong_is_underlined(wrong: str) -> None:
    assert complaints(wrong)
