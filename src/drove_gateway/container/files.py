"""The files that a container writes at its start."""

from pathlib import Path

from drove_gateway.files import atomic as atomic_file
from drove_gateway.model.errors import GatewayError

_MODE = 0o644


class FilesError(GatewayError):
    """A file cannot be written; the message says what to mount."""


def write(path: Path, text: str) -> None:
    """Write a file, which is old or new at every moment, and its directory. Raises FilesError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        candidate = atomic_file.write_candidate(path, text.encode(), mode=_MODE)
        atomic_file.swap(candidate, path)
    except OSError as error:
        raise FilesError(
            f"cannot write {path}: {error.strerror}; where the root file system is read-only, "
            "mount a tmpfs there, as in --tmpfs /run"
        ) from error
