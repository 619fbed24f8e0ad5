"""A proxy's configuration file: written next to its target, then renamed over it.

The temporary file is in the directory of the file that will be replaced, so that the rename is
atomic. Its name is the original's: `.nginx.conf.tmp-*`. A symbolic link is followed each time, and
the file that it points to is replaced, so that a proxy that reads that file sees the change.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from drove_gateway.files import atomic as atomic_file
from drove_gateway.files.atomic import discard
from drove_gateway.files.mounts import is_mount_point
from drove_gateway.files.regular import read_regular
from drove_gateway.files.remedy import remedy
from drove_gateway.model.errors import ProxyError

__all__ = ["discard", "discard_leftovers", "read", "seen_from", "swap", "write_candidate"]

_MODE_OF_A_NEW_FILE = 0o644
_MOST_BYTES = 1024 * 1024 * 1024


def write_candidate(target: Path, text: str) -> Path:
    """Write `text` next to `target`, flushed to disk, and return the new file's path.

    It gets the mode and, if this user may set it, the owner of the file that it will replace.
    Raises ProxyError if it cannot be written; then nothing is left behind.
    """
    content = text.encode(errors="surrogateescape")
    real = _real(target)
    try:
        return atomic_file.write_candidate(real, content, mode=_MODE_OF_A_NEW_FILE)
    except OSError as error:
        raise ProxyError(
            f"cannot write next to {target}: {error.strerror}; {target} stays as it is, and so "
            f"does what the proxy loaded from it; {remedy(error, real.parent)}"
        ) from error


@contextmanager
def seen_from(candidate: Path, target: Path) -> Iterator[Path]:
    """Yield the path of `candidate` in the directory of `target`, which may be a link elsewhere.

    The proxy finds relative includes beside the path that it is given.
    """
    if not target.is_symlink() or candidate.parent == target.parent:
        yield candidate
        return
    link = target.with_name(candidate.name)
    try:
        link.symlink_to(candidate)
    except OSError:
        yield candidate
        return
    try:
        yield link
    finally:
        discard(link)


def swap(candidate: Path, target: Path, *, in_place: bool = False) -> None:
    """Rename `candidate` over `target`; `target` is old or new, never torn.

    A file that is mounted by itself cannot be renamed over. With `in_place` it is written instead,
    which a power failure may interrupt. Raises ProxyError; the candidate is then gone.
    """
    real = _real(target)
    content = candidate.read_bytes() if in_place and is_mount_point(real) else None
    try:
        if content is not None:
            discard(candidate)
            atomic_file.overwrite(real, content)
        else:
            atomic_file.swap(candidate, real)
    except OSError as error:
        busy = error.errno == errno.EBUSY
        hint = mount_hint(target) if busy else remedy(error, real.parent)
        raise ProxyError(
            f"cannot replace {target}: {error.strerror}; it stays as it is; {hint}"
        ) from error


def mount_hint(target: Path) -> str:
    """What to do about a file that is mounted by itself."""
    return (
        f"{target} is mounted as a single file, which cannot be replaced: mount its directory "
        f"instead, or set `write_in_place = true`"
    )


def is_mounted_by_itself(target: Path) -> bool:
    """Whether `target` is a mount point of its own, so that only writing in place changes it."""
    return is_mount_point(_real(target))


def read(target: Path) -> str | None:
    """Return the target's text, None if it does not exist. Raises ProxyError."""
    try:
        return read_regular(target, _MOST_BYTES).decode(errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProxyError(f"cannot read {target}: {error.strerror}") from error


def discard_leftovers(target: Path) -> None:
    """Remove candidates that an earlier run was killed over."""
    atomic_file.discard_leftovers(target)
    with suppress(ProxyError):
        atomic_file.discard_leftovers(_real(target))


def _real(target: Path) -> Path:
    """Return the file that `target` names, links resolved; it need not exist."""
    try:
        return target.resolve()
    except (OSError, RuntimeError) as error:
        raise ProxyError(f"cannot find out where the link {target} points: {error}") from error
