"""The file of the history: lines are appended, and it is rewritten when it has grown too much."""

import errno
import os
import stat
from collections.abc import Sequence
from pathlib import Path

from drove_gateway.files import atomic as atomic_file
from drove_gateway.model.errors import StateError

NAME = "apply-history.jsonl"

MOST_BYTES = 64 * 1024 * 1024
"""The bound of what is read: more than the file grows to. A thousand entries of each kind have
25 MiB at most, usually one or two, and a file of twice as much is rewritten."""

_MODE = 0o600
_SLACK = 256 * 1024


def read(path: Path) -> tuple[bytes, ...]:
    """Return the lines of the file, none where there is no file. Raises StateError."""
    try:
        with open(path, "rb", opener=_at_once) as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise StateError("it is not a regular file")
            # The newest lines are at the end; the first may be torn and is left out then.
            file.seek(max(0, about.st_size - MOST_BYTES))
            return tuple(line for line in file.read(MOST_BYTES).split(b"\n") if line)
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise StateError(f"it cannot be read: {error.strerror}") from error


def append(path: Path, lines: Sequence[bytes]) -> int:
    """Append whole lines; return the size of the file. Raises OSError.

    A torn line at the end, where an earlier write was cut off, is ended first.
    """
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    text = b"".join(line + b"\n" for line in lines)
    with open(path, "a+b", opener=_private) as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if about.st_size and os.pread(file.fileno(), 1, about.st_size - 1) != b"\n":
            text = b"\n" + text
        file.write(text)
    return about.st_size + len(text)


def rewrite(path: Path, lines: Sequence[bytes]) -> int:
    """Replace the file by these lines; return its size. Raises OSError."""
    path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
    content = b"".join(line + b"\n" for line in lines)
    atomic_file.swap(atomic_file.write_candidate(path, content, mode=_MODE), path)
    return len(content)


def is_too_large(size: int, needed: int) -> bool:
    """Whether a file of `size` bytes, of which `needed` are still of use, is to be rewritten."""
    return size > 2 * needed + _SLACK


def _private(path: str, flags: int) -> int:
    """Open or create a file that only its owner reads; never through a symbolic link."""
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW, _MODE)


def _at_once(path: str, flags: int) -> int:
    """Open a FIFO without waiting for its writer."""
    return os.open(path, flags | os.O_NONBLOCK)
