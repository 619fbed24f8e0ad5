"""Programs are found where Debian puts them, even outside the PATH."""

from pathlib import Path

from drove_gateway.process.program import find_program


def test_system_directories_are_searched_after_the_path(tmp_path: Path) -> None:
    own = tmp_path / "chroot"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)

    assert find_program("chroot", str(tmp_path)) == str(own)
    assert find_program("chroot", "/nowhere") in {"/usr/sbin/chroot", "/sbin/chroot"}


def test_missing_program_is_none() -> None:
    assert find_program("no-such-program") is None
