"""The reference page and the JSON schema are what the declarations say."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tools.reference.configuration import files, main, page
from tools.reference.schema import schema

from drove_gateway.config import environment
from drove_gateway.config.legacy import DEPRECATED, SINGLE_NAMESPACE
from drove_gateway.config.sentences import keys_of
from drove_gateway.config.settings import NamespaceSettings, Settings

DOCS = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", files())
def test_the_committed_files_are_what_is_generated(name: str) -> None:
    stale = "run: python -m tools.reference.configuration --write"
    assert (DOCS / name).read_text() == files()[name], stale


def test_every_key_and_variable_is_on_the_page() -> None:
    text = page()
    keys = {*keys_of(Settings), *keys_of(NamespaceSettings), *DEPRECATED, *environment.VARIABLES}
    rows = {line.split("`")[1] for line in text.splitlines() if line.startswith("| `")}
    assert keys - rows == {"namespaces"}


def test_the_page_shows_types_defaults_and_what_is_required() -> None:
    text = page()
    assert "| `port` | string or integer, 0 to 65535 | `6000` |" in text
    assert "| `api_timeout` | seconds, more than 0 | `10` |" in text
    assert '| `proxy_platform` | `"nginx"` or `"haproxy"` | `"nginx"` |' in text
    assert "| `drove` | list of strings | required |" in text
    assert '| `pass` | string | `""` |' in text
    assert "| `apply_quiet_sec` | seconds, 0 or more | `0.05` |" in text


def test_the_schema_has_every_key_and_marks_the_deprecated() -> None:
    made = json.loads(json.dumps(schema()))
    properties = made["properties"]
    assert set(properties) == {*keys_of(Settings), *DEPRECATED, *SINGLE_NAMESPACE}
    deprecated = {key for key, found in properties.items() if found.get("deprecated")}
    assert deprecated == {*DEPRECATED, *SINGLE_NAMESPACE}
    namespace = made["$defs"]["NamespaceSettings"]
    assert set(namespace["properties"]) == set(keys_of(NamespaceSettings))
    assert namespace["required"] == ["name", "drove"]


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    def run(option: str) -> int:
        return CliRunner().invoke(main, [option, str(tmp_path)]).exit_code

    assert run("--check") == 1
    assert run("--write") == 0
    assert run("--check") == 0
    (tmp_path / "configuration.md").write_text("old")
    assert run("--check") == 1
