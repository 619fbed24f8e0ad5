"""Replace a file atomically: write next to the target, flush to disk, rename.

A reader of the target, also after a power failure, finds either the old or the new content.
The temporary file is in the target's own directory, `.NAME.tmp-*`, so that the rename stays
within one file system.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path


def write_candidate(target: Path, content: bytes, *, mode: int) -> Path:
    """Write `content` beside `target`, flushed to disk, and give the new file's path.

    It gets the mode and, where this user may say so, the owner of the file that it will replace;
    `mode` where there is none. Raises OSError; then nothing is left behind.
    """
    candidate = _fresh_name(target)
    try:
        descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            _take_after(file.fileno(), target, mode)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        discard(candidate)
        raise
    return candidate


def swap(candidate: Path, target: Path) -> None:
    """Rename `candidate` over `target`, and flush the directory. Raises OSError."""
    try:
        candidate.replace(target)
        directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError:
        discard(candidate)
        raise


def overwrite(target: Path, content: bytes) -> None:
    """Write `content` over that of `target`, which cannot be replaced. Raises OSError.

    Unlike `swap`, an interruption may leave only a part of `content`. Where the disk is full, the
    old content is written back.
    """
    before = target.read_bytes()
    try:
        _write(target, content)
    except OSError:
        with contextlib.suppress(OSError):
            _write(target, before)
        raise


def _write(target: Path, content: bytes) -> None:
    with target.open("r+b") as file:
        file.write(content)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())


def discard(candidate: Path) -> None:
    """Remove a candidate that will not be used."""
    with contextlib.suppress(OSError):
        candidate.unlink()


def discard_leftovers(target: Path) -> None:
    """Remove candidates that an earlier run was killed over."""
    with contextlib.suppress(OSError):
        for leftover in target.parent.glob(f".{target.name}.tmp-*"):
            discard(leftover)


def _fresh_name(target: Path) -> Path:
    return target.with_name(f".{target.name}.tmp-{secrets.token_hex(6)}")


def _take_after(descriptor: int, target: Path, mode: int) -> None:
    try:
        existing = target.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, mode)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, existing.st_uid, existing.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(existing.st_mode))
