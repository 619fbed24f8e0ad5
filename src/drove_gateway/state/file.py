"""The file of the stored state: read with a bound, replaced at once, set aside when it is bad."""

import contextlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

from drove_gateway.files import atomic as atomic_file
from drove_gateway.model.errors import StateError

NAME = "datamanager-state.json"
"""The name that newer versions of the original give it."""

MOST_BYTES = 256 * 1024 * 1024
"""More than a million servers; a larger file is not read."""

MOST_SET_ASIDE = 3

_MODE = 0o600
_MODE_OF_THE_DIRECTORY = 0o750


def read(path: Path) -> bytes | None:
    """The file's content, None where there is none. Raises StateError when it cannot be read."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise StateError("it is not a regular file")
            if about.st_size > MOST_BYTES:
                raise StateError(f"it has {about.st_size:,} bytes, more than {MOST_BYTES:,}")
            return file.read(MOST_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(f"it cannot be read: {error.strerror}") from error


def _at_once(path: str, flags: int) -> int:
    """Open a FIFO without waiting for its writer."""
    return os.open(path, flags | os.O_NONBLOCK)


def write(path: Path, content: bytes) -> None:
    """Replace the file at once, and make its directory where there is none. Raises OSError."""
    path.parent.mkdir(mode=_MODE_OF_THE_DIRECTORY, parents=True, exist_ok=True)
    candidate = atomic_file.write_candidate(path, content, mode=_MODE)
    atomic_file.swap(candidate, path)


def set_aside(path: Path, now: float) -> Path:
    """Rename a file that cannot be used, to be looked at, and give its new name.

    The newest `MOST_SET_ASIDE` such files are kept. `now` is in Unix seconds. Raises OSError.
    """
    when = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.broken-{when}")
    path.rename(aside)
    earlier = sorted(path.parent.glob(f"{path.name}.broken-*"))
    for old in earlier[:-MOST_SET_ASIDE]:
        # One that is a directory stays; it was not made here.
        with contextlib.suppress(OSError):
            old.unlink()
    return aside
