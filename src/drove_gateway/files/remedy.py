"""What to do about a file that cannot be written."""

import errno
from pathlib import Path

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def remedy(error: OSError, directory: Path) -> str:
    """Return what an operator does so that files in `directory` can be written again."""
    if error.errno in _FULL:
        return f"free space on the disk of {directory}"
    if error.errno in _FORBIDDEN:
        return f"make {directory} writable for this user"
    return f"check {directory}; this is retried"
