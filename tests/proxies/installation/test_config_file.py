"""The configuration file: whole or not at all, with the rights that it had."""

import os
import stat
import subprocess
from collections.abc import Iterator
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


class TestLinks:
    """A proxy that reads the file behind the link must see the change."""

    @pytest.fixture
    def real(self, target: Path) -> Path:
        (target.parent / "real").mkdir()
        real = target.parent / "real" / "main.conf"
        real.write_text("old")
        return real

    @pytest.mark.parametrize("relative", [True, False])
    def test_the_file_behind_the_link_is_replaced_and_the_link_stays(
        self, target: Path, real: Path, relative: bool
    ) -> None:
        target.symlink_to("real/main.conf" if relative else real)
        candidate = config_file.write_candidate(target, "new")
        assert candidate.parent == real.parent
        config_file.swap(candidate, target)
        assert target.is_symlink()
        assert real.read_text() == "new"

    def test_a_link_that_changes_is_followed_anew(self, target: Path, real: Path) -> None:
        target.symlink_to(real)
        config_file.swap(config_file.write_candidate(target, "new"), target)
        other = target.with_name("other.conf")
        target.unlink()
        target.symlink_to(other)
        config_file.swap(config_file.write_candidate(target, "newer"), target)
        assert (real.read_text(), other.read_text()) == ("new", "newer")

    def test_the_proxy_checks_the_candidate_in_the_directory_of_the_link(
        self, target: Path, real: Path
    ) -> None:
        """Relative includes are beside the path that the proxy is given."""
        target.symlink_to(real)
        candidate = config_file.write_candidate(target, "new")
        with config_file.seen_from(candidate, target) as path:
            assert path.parent == target.parent
            assert path.read_text() == "new"
        assert not path.exists()
        assert candidate.exists()

    def test_leftovers_beside_link_and_file_are_removed(self, target: Path, real: Path) -> None:
        target.symlink_to(real)
        left = [target.with_name(".nginx.conf.tmp-1"), real.with_name(".main.conf.tmp-1")]
        for file in left:
            file.write_text("left")
        config_file.discard_leftovers(target)
        assert not any(file.exists() for file in left)

    def test_a_circle_of_links_is_an_error(self, target: Path) -> None:
        target.symlink_to(target)
        with pytest.raises(ProxyError, match=r"link|stays as it is"):
            config_file.write_candidate(target, "new")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a file")
class TestAFileThatIsMountedByItself:
    @pytest.fixture
    def mounted(self, target: Path) -> Iterator[Path]:
        source = target.with_name("source")
        source.write_text("a longer old content")
        target.touch()
        subprocess.run(["mount", "--bind", str(source), str(target)], check=True)
        yield target
        subprocess.run(["umount", str(target)], check=True)

    def test_it_is_recognised_and_the_message_says_what_to_do(self, mounted: Path) -> None:
        assert config_file.is_mounted_by_itself(mounted)
        assert not config_file.is_mounted_by_itself(mounted.parent / "source")
        candidate = config_file.write_candidate(mounted, "new")
        with pytest.raises(ProxyError, match="mount its directory instead, or set `write_in_place"):
            config_file.swap(candidate, mounted)
        assert mounted.read_text() == "a longer old content"
        assert not candidate.exists()

    def test_it_is_written_in_place_where_that_is_allowed(self, mounted: Path) -> None:
        candidate = config_file.write_candidate(mounted, "new")
        config_file.swap(candidate, mounted, in_place=True)
        assert mounted.read_text() == (mounted.parent / "source").read_text() == "new"
        assert not candidate.exists()


def test_in_place_changes_nothing_for_a_file_that_can_be_replaced(target: Path) -> None:
    target.write_text("old")
    with target.open() as reader:
        config_file.swap(config_file.write_candidate(target, "new"), target, in_place=True)
        assert reader.read() == "old"
