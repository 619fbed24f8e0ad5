"""Only regular files are read, and never more than a limit."""

import os
from pathlib import Path

import pytest

from drove_gateway.files.regular import NotRegular, read_regular


def test_a_regular_file_is_read_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")

    assert read_regular(tmp_path / "link", 7) == b"content"


def test_a_pipe_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(NotRegular, match="not a regular file"):
        read_regular(tmp_path / "pipe", 7)


@pytest.mark.parametrize("path", ["/dev/zero", "/proc"])
def test_devices_and_directories_are_refused(path: str) -> None:
    with pytest.raises(OSError, match=r"directory|not a regular file"):
        read_regular(Path(path), 7)


def test_a_file_over_the_limit_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"contents")

    with pytest.raises(NotRegular, match="more than 7 bytes"):
        read_regular(tmp_path / "file", 7)
