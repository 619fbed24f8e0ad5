"""The configuration file: whole or not at all, with the rights that it had."""

import os
import stat
from pathlib import Path

import pytest

from drove_gateway.model.errors import ProxyError
from drove_gateway.proxies.installation import config_file


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "nginx.conf"


def test_a_candidate_is_written_beside_its_target_with_the_originals_name(target: Path) -> None:
    candidate = config_file.write_candidate(target, "new")
    assert candidate.parent == target.parent
    assert candidate.name.startswith(".nginx.conf.tmp-")
    assert candidate.read_text() == "new"
    assert not target.exists()


def test_a_swap_replaces_the_target(target: Path) -> None:
    target.write_text("old")
    config_file.swap(config_file.write_candidate(target, "new"), target)
    assert config_file.read(target) == "new"
    assert list(target.parent.iterdir()) == [target]


def test_a_reader_of_the_old_file_keeps_reading_it(target: Path) -> None:
    target.write_text("old")
    with target.open() as reader:
        config_file.swap(config_file.write_candidate(target, "new"), target)
        assert reader.read() == "old"


@pytest.mark.parametrize("rights", [0o600, 0o640, 0o644, 0o664])
def test_the_mode_of_the_file_is_kept(target: Path, rights: int) -> None:
    target.write_text("old")
    target.chmod(rights)
    config_file.swap(config_file.write_candidate(target, "new"), target)
    assert mode(target) == rights


def test_a_new_file_is_readable_for_the_proxys_user_whatever_the_umask(target: Path) -> None:
    before = os.umask(0o077)
    try:
        candidate = config_file.write_candidate(target, "new")
    finally:
        os.umask(before)
    assert mode(candidate) == 0o644


def test_the_owner_of_the_file_is_kept(target: Path) -> None:
    """Only root can give a file to somebody else; for others the law is trivial."""
    owner = (1234, 2345) if os.geteuid() == 0 else (os.getuid(), os.getgid())
    target.write_text("old")
    os.chown(target, *owner)
    config_file.swap(config_file.write_candidate(target, "new"), target)
    assert (target.stat().st_uid, target.stat().st_gid) == owner


def test_any_bytes_that_were_read_are_written_back(target: Path) -> None:
    target.write_bytes(b"# caf\xe9\n")
    text = config_file.read(target)
    assert text is not None
    config_file.swap(config_file.write_candidate(target, text), target)
    assert target.read_bytes() == b"# caf\xe9\n"


def test_no_file_reads_as_none(target: Path) -> None:
    assert config_file.read(target) is None


def test_a_target_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProxyError, match="cannot read"):
        config_file.read(tmp_path)


def test_where_nothing_can_be_written_the_target_stays_and_the_message_says_so(
    tmp_path: Path,
) -> None:
    target = tmp_path / "missing" / "nginx.conf"
    with pytest.raises(ProxyError, match=r"cannot write .*stays as it is"):
        config_file.write_candidate(target, "new")


def test_a_target_that_cannot_be_replaced_leaves_nothing_behind(target: Path) -> None:
    target.mkdir()
    candidate = config_file.write_candidate(target, "new")
    with pytest.raises(ProxyError, match="cannot replace"):
        config_file.swap(candidate, target)
    assert list(target.parent.iterdir()) == [target]


def test_leftovers_of_an_earlier_run_are_removed_and_nothing_else(target: Path) -> None:
    candidate = config_file.write_candidate(target, "new")
    kept = [target, target.with_name("nginx.conf.tmp-x"), target.with_name(".other.tmp-x")]
    for file in kept:
        file.write_text("kept")
    config_file.discard_leftovers(target)
    assert not candidate.exists()
    assert all(file.exists() for file in kept)


def test_a_candidate_that_is_gone_can_be_discarded(target: Path) -> None:
    config_file.discard(target)
