"""The file of the stored state, on a real disk."""

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from drove_gateway.model.errors import StateError
from drove_gateway.state import file


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / file.NAME


@contextmanager
def no_file_longer_than(size: int) -> Iterator[None]:
    """As a full disk: writes beyond `size` fail."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_where_there_is_none_nothing_is_read(path: Path) -> None:
    assert file.read(path) is None


def test_what_was_written_is_read_and_no_other_user_may_read_it(path: Path) -> None:
    file.write(path, b"one")
    file.write(path, b"two")

    assert file.read(path) == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_mode_and_owner_are_kept_when_it_is_replaced(path: Path) -> None:
    file.write(path, b"one")
    path.chmod(0o640)

    file.write(path, b"two")

    assert path.stat().st_mode & 0o777 == 0o640


def test_a_full_disk_leaves_the_old_content_and_nothing_beside_it(path: Path) -> None:
    file.write(path, b"good")

    with no_file_longer_than(4096), pytest.raises(OSError, match="File too large"):
        file.write(path, b"x" * 100_000)

    assert file.read(path) == b"good"
    assert list(path.parent.iterdir()) == [path]


def test_a_directory_that_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")

    with pytest.raises(OSError, match=r"File exists|Not a directory"):
        file.write(tmp_path / "state" / file.NAME, b"one")


def test_a_fifo_in_its_place_is_not_waited_for(path: Path) -> None:
    path.parent.mkdir()
    os.mkfifo(path)

    with pytest.raises(StateError, match="not a regular file"):
        file.read(path)


def test_a_directory_in_its_place_is_reported(path: Path) -> None:
    path.mkdir(parents=True)

    with pytest.raises(StateError, match="Is a directory"):
        file.read(path)


def test_a_file_of_absurd_size_is_not_read(path: Path) -> None:
    path.parent.mkdir()
    with path.open("wb") as sparse:
        sparse.truncate(file.MOST_BYTES + 1)

    with pytest.raises(StateError, match="268,435,457 bytes, more than 268,435,456"):
        file.read(path)


def test_a_link_that_leads_nowhere_is_none(path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(path.parent / "gone")

    assert file.read(path) is None


def test_what_is_set_aside_can_be_looked_at_and_only_the_newest_stay(path: Path) -> None:
    for number in range(5):
        file.write(path, b"%d" % number)
        file.set_aside(path, 1700000000.0 + number)

    kept = sorted(path.parent.iterdir())
    assert [copy.read_bytes() for copy in kept] == [b"2", b"3", b"4"]
    assert kept[0].name == "datamanager-state.json.broken-20231114T221322.000000Z"
