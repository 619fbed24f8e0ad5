"""Loading the configuration of a text, with its problems and warnings."""

from pathlib import Path

import pytest
from tests.config.places import without_line

from drove_gateway.config import Loaded, load
from drove_gateway.model.errors import ConfigError

NAMESPACE = """
[[namespaces]]
name = "stage1"
drove = ["http://controller1:10000"]
"""


def read(text: str, directory: Path) -> Loaded:
    (directory / "nixy.toml").write_text(text)
    return load(Path("nixy.toml"), {})


def problems(text: str, directory: Path) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as refused:
        read(text, directory)
    return tuple(map(without_line, refused.value.problems))


def warnings(text: str, directory: Path) -> list[str]:
    return [without_line(notice.text) for notice in read(text, directory).warnings]
