"""Files that are written at the start."""

from pathlib import Path

import pytest

from drove_gateway.container.files import FilesError, write


def test_a_file_is_written_with_its_directory(tmp_path: Path) -> None:
    file = tmp_path / "run" / "dg" / "nginx.conf"
    write(file, "events {}")
    write(file, "events { }")
    assert file.read_text() == "events { }"
    assert [path.name for path in file.parent.iterdir()] == ["nginx.conf"]


def test_what_cannot_be_written_says_what_to_mount() -> None:
    with pytest.raises(FilesError, match=r"cannot write /proc/dg/file: .*--tmpfs /run"):
        write(Path("/proc/dg/file"), "text")
