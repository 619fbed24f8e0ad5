"""A proxy's configuration file: written next to its target, then renamed over it.

The temporary file is in the target's own directory, so that the rename is atomic and relative
includes mean the same to the proxy's check. Its name is the original's: `.nginx.conf.tmp-*`.
"""

from pathlib import Path

from drove_gateway.files import atomic as atomic_file
from drove_gateway.files.atomic import discard, discard_leftovers
from drove_gateway.model.errors import ProxyError

__all__ = ["discard", "discard_leftovers", "read", "swap", "write_candidate"]

_MODE_OF_A_NEW_FILE = 0o644


def write_candidate(target: Path, text: str) -> Path:
    """Write `text` next to `target`, flushed to disk, and return the new file's path.

    It gets the mode and, if this user may set it, the owner of the file that it will replace.
    Raises ProxyError if it cannot be written; then nothing is left behind.
    """
    content = text.encode(errors="surrogateescape")
    try:
        return atomic_file.write_candidate(target, content, mode=_MODE_OF_A_NEW_FILE)
    except OSError as error:
        raise ProxyError(
            f"cannot write next to {target}: {error.strerror}; {target} stays as it is"
        ) from error


def swap(candidate: Path, target: Path) -> None:
    """Rename `candidate` over `target`. Raises ProxyError; `target` is old or new, never torn."""
    try:
        atomic_file.swap(candidate, target)
    except OSError as error:
        raise ProxyError(f"cannot replace {target}: {error.strerror}") from error


def read(target: Path) -> str | None:
    """Return the target's text, None if it does not exist."""
    try:
        return target.read_bytes().decode(errors="surrogateescape")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProxyError(f"cannot read {target}: {error.strerror}") from error
