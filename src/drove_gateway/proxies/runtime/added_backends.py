"""Backends that were added at runtime and that no file has yet, on disk.

A gateway that is killed before the file follows has to know after its restart which backends are
its own: a vhost that left meanwhile would be served indefinitely.
"""

import asyncio
import json
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from drove_gateway.model.errors import StateError
from drove_gateway.state import file

NAME = "added-backends.json"
_MODE_OF_THE_DIRECTORY = 0o750
_LONGEST_SECONDS = 0.5


class AddedBackends:
    """The names of such backends, in a file at `path`; without a path, nothing is stored.

    The file is not flushed to disk: where the machine stops, the proxy does too.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.names: frozenset[str] = frozenset()
        self._stored = self.names
        self._path = path
        self._writing: asyncio.Future[None] | None = None

    def recall(self) -> None:
        """Read what an earlier run has left. What cannot be read is nothing."""
        with suppress(StateError, ValueError):
            content = file.read(self._path) if self._path else None
            names = json.loads(content) if content else []
            if isinstance(names, list):
                self.names = frozenset(name for name in names if isinstance(name, str))
                self._stored = self.names

    async def add(self, names: Collection[str]) -> None:
        """Note backends that are about to be added; a disk that hangs delays that for a moment."""
        self.names = self.names.union(names)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_SECONDS):
                while writing := self._begin():
                    await asyncio.wait((writing,))

    def retain(self, names: Collection[str]) -> None:
        """Forget every backend except `names`: the file has the others, or they are gone."""
        self.names = self.names.intersection(names)
        self._begin()

    def _begin(self) -> asyncio.Future[None] | None:
        """Write what is not stored yet, in a thread; None if there is nothing to write."""
        if self._path is None or self._stored == self.names:
            return None
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, self._path))
        return self._writing

    def _write(self, path: Path) -> None:
        new = path.with_name(f".{path.name}.tmp")
        while (names := self.names) != self._stored:
            # Only a gateway that is killed at the wrong moment needs it.
            with suppress(OSError):
                path.parent.mkdir(mode=_MODE_OF_THE_DIRECTORY, parents=True, exist_ok=True)
                with open(new, "w", opener=_private) as stream:
                    json.dump(sorted(names), stream)
                new.replace(path)
            self._stored = names


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
