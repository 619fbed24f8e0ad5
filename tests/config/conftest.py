"""Directories with the files that a configuration names."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files are named without a directory in it, so that messages can be compared whole."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """A directory for Unix sockets, whose paths must be short."""
    with TemporaryDirectory(dir="/tmp") as name:
        yield Path(name)
