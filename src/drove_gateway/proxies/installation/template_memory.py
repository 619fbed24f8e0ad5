"""The last good template on disk, so that a start with a broken template can follow the cluster."""

import json
from contextlib import suppress
from pathlib import Path

from drove_gateway.model.errors import StateError
from drove_gateway.state import file

NAME = "last-good-template"


class TemplateMemory:
    """A file with the last template whose result the proxy loaded.

    Its first line says for which `proxy` and delimiters the template was; another is not read.
    """

    def __init__(self, path: Path, proxy: str, delims: tuple[str, str]) -> None:
        self._path = path
        self._head = json.dumps([proxy, *delims]).encode() + b"\n"

    def read(self) -> str | None:
        """Return the stored source; None where there is none that can be used."""
        try:
            content = file.read(self._path)
        except StateError:
            return None
        if content is None or not content.startswith(self._head):
            return None
        return content.removeprefix(self._head).decode(errors="surrogateescape")

    def write(self, source: str) -> None:
        """Replace the file, which only this user can read. A failure changes nothing."""
        content = self._head + source.encode(errors="surrogateescape")
        with suppress(OSError):
            file.write(self._path, content)
