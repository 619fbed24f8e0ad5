"""Whatever nixy.toml contains: settings that can be used, or readable problems; nothing else."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drove_gateway.config import Settings, load
from drove_gateway.model.errors import ConfigError

values = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="ascii"), max_size=20),
    st.lists(st.text(st.characters(codec="ascii"), max_size=8), max_size=3),
)
keys = st.sampled_from([*Settings.model_fields, "drove", "user", "realm", "prot", "nginx.x"])


def assert_settings_or_problems(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    problems = ["settings were made"]
    try:
        load(path, {})
    except ConfigError as error:
        problems = list(error.problems)
    assert problems
    assert all(problem.isprintable() for problem in problems)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "nixy.toml"


@given(content=st.binary(max_size=200))
def test_any_bytes(file: Path, content: bytes) -> None:
    assert_settings_or_problems(file, content)


@given(table=st.dictionaries(keys, values, max_size=8), name=values)
def test_any_values_of_any_keys(file: Path, table: dict[str, object], name: object) -> None:
    lines = [f"{json.dumps(key)} = {json.dumps(value)}" for key, value in table.items()]
    lines += ["[[namespaces]]", f"name = {json.dumps(name)}", 'drove = ["http://c1:4000"]']
    assert_settings_or_problems(file, "\n".join(lines).encode())
