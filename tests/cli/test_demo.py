"""What the demo prints to be copied."""

from pathlib import Path

import pytest

from drove_gateway.cli.demo import shortest


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program on the PATH."""
    made = tmp_path / "bin" / "gateway-of-this-test"
    made.parent.mkdir()
    made.write_text("")
    made.chmod(0o755)
    monkeypatch.setenv("PATH", str(made.parent))
    return made


def test_a_program_on_the_path_is_printed_by_its_name(program: Path) -> None:
    assert shortest(program, Path("/")) == "gateway-of-this-test"


def test_a_program_below_the_current_directory_is_printed_from_there(program: Path) -> None:
    other = program.parent.parent / "other" / program.name
    assert shortest(other, program.parent.parent) == "other/gateway-of-this-test"


def test_any_other_program_is_printed_with_its_whole_path(program: Path) -> None:
    other = program.parent.parent / "other" / program.name
    assert shortest(other, program.parent) == str(other)
