"""What differs between proxies when a configuration file is brought to them."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec


class Platform(msgspec.Struct, frozen=True):
    """A proxy and its configuration file.

    `check` returns the command that checks a file, None where checks are disabled; `reload` makes
    the proxy load `config`, None where reloads are disabled; it raises ProxyError.
    """

    name: str
    config: Path
    check: Callable[[Path], tuple[str, ...]] | None
    reload: Callable[[], Awaitable[None]] | None
