"""Read a file that must be a regular file: a pipe or a device may never end, or never begin."""

import os
import stat
from pathlib import Path


class NotRegular(OSError):
    """The path names something that is not a regular file, or a file that is too large."""


def read_regular(path: Path, most_bytes: int) -> bytes:
    """Return the content of the regular file at `path`, following links.

    Raises NotRegular for a pipe, socket, device or directory, and for more than `most_bytes`;
    another OSError if the file cannot be read. Never waits for another process.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise NotRegular(0, "it is not a regular file")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise NotRegular(0, f"it has more than {most_bytes:,} bytes")
    return content
