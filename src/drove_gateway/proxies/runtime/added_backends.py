"""Backends that were added at runtime and that no file has yet, on disk.

A gateway that is killed before the file follows has to know after its restart which backends are
its own: a vhost that left meanwhile would be served indefinitely.
"""

import json
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from drove_gateway.model.errors import StateError
from drove_gateway.state import file

NAME = "added-backends.json"
_MODE_OF_THE_DIRECTORY = 0o750


class AddedBackends:
    """The names of such backends, in a file at `path`; without a path, nothing is stored.

    The file is not flushed to disk: where the machine stops, the proxy does too.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.names: frozenset[str] = frozenset()
        self._path = path

    def recall(self) -> None:
        """Read what an earlier run has left. What cannot be read is nothing."""
        with suppress(StateError, ValueError):
            content = file.read(self._path) if self._path else None
            names = json.loads(content) if content else []
            if isinstance(names, list):
                self.names = frozenset(name for name in names if isinstance(name, str))

    def add(self, names: Collection[str]) -> None:
        """Note backends that are about to be added."""
        self._replace(self.names.union(names))

    def retain(self, names: Collection[str]) -> None:
        """Forget every backend except `names`: the file has the others, or they are gone."""
        self._replace(self.names.intersection(names))

    def _replace(self, names: frozenset[str]) -> None:
        if names == self.names:
            return
        self.names = names
        if self._path is None:
            return
        new = self._path.with_name(f".{self._path.name}.tmp")
        # Only a gateway that is killed at the wrong moment needs it.
        with suppress(OSError):
            self._path.parent.mkdir(mode=_MODE_OF_THE_DIRECTORY, parents=True, exist_ok=True)
            with open(new, "w", opener=_private) as stream:
                json.dump(sorted(names), stream)
            new.replace(self._path)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
