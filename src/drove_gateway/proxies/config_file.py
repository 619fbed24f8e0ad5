"""A proxy's configuration file: written beside its target, then renamed over it.

The temporary file stands in the target's own directory, so that the rename is atomic and relative
includes mean the same to the proxy's check. Its name is the original's: `.nginx.conf.tmp-*`.
"""

import contextlib
import os
import secrets
import stat
from pathlib import Path

from drove_gateway.errors import ProxyError

_MODE_OF_A_NEW_FILE = 0o644


def write_candidate(target: Path, text: str) -> Path:
    """Write `text` beside `target`, flushed to disk, and give the new file's path.

    It gets the mode and, where this user may say so, the owner of the file that it will replace.
    Raises ProxyError when it cannot be written; then nothing is left behind.
    """
    candidate = target.with_name(f".{target.name}.tmp-{secrets.token_hex(6)}")
    try:
        descriptor = os.open(candidate, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode(errors="surrogateescape"))
            _take_after(file.fileno(), target)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        discard(candidate)
        raise ProxyError(
            f"cannot write {candidate}: {error.strerror}; {target} stays as it is"
        ) from error
    return candidate


def swap(candidate: Path, target: Path) -> None:
    """Rename `candidate` over `target`. Raises ProxyError; `target` is old or new, never torn."""
    try:
        candidate.replace(target)
        directory = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as error:
        discard(candidate)
        raise ProxyError(f"cannot replace {target}: {error.strerror}") from error


def discard(candidate: Path) -> None:
    """Remove a candidate that will not be used."""
    with contextlib.suppress(OSError):
        candidate.unlink()


def discard_leftovers(target: Path) -> None:
    """Remove candidates that an earlier run was killed over."""
    with contextlib.suppress(OSError):
        for leftover in target.parent.glob(f".{target.name}.tmp-*"):
            discard(leftover)


def read(target: Path) -> str | None:
    """The target's text, None where there is none."""
    try:
        return target.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProxyError(f"cannot read {target}: {error.strerror}") from error


def _take_after(descriptor: int, target: Path) -> None:
    try:
        existing = target.stat()
    except FileNotFoundError:
        os.fchmod(descriptor, _MODE_OF_A_NEW_FILE)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, existing.st_uid, existing.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(existing.st_mode))
