"""What differs between proxies when they load a configuration file."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec


class Platform(msgspec.Struct, frozen=True):
    """A proxy and its configuration file.

    `config` is absolute, since commands may run in another directory. `in_place` says that a file
    that cannot be replaced is written instead. `check` returns the command that checks a file; it
    is None if checks are disabled. `reload` makes the proxy load `config` and raises ProxyError; it
    is None if reloads are disabled.
    """

    name: str
    config: Path
    check: Callable[[Path], tuple[str, ...]] | None
    reload: Callable[[], Awaitable[None]] | None
    in_place: bool = False
