"""Which paths are mount points, also of single files."""

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")
_MOUNT_POINT_FIELD = 4
_OCTAL = re.compile(rb"\\([0-7]{3})")


def is_mount_point(path: Path) -> bool:
    """Whether something is mounted exactly at `path`, links resolved; False where unknown.

    `os.path.ismount` does not see a file that is mounted over a file of the same file system.
    """
    try:
        lines = _MOUNTS.read_bytes().splitlines()
    except OSError:
        return False
    fields = (line.split() for line in lines)
    points = (line[_MOUNT_POINT_FIELD] for line in fields if len(line) > _MOUNT_POINT_FIELD)
    name = str(path).encode(errors="surrogateescape")
    return any(_OCTAL.sub(lambda octal: bytes([int(octal[1], 8)]), at) == name for at in points)
