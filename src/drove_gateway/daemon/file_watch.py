"""Notices when files change that a configuration is made of."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from drove_gateway.files.stamp import stamp

_INTERVAL_SECONDS = 1.0


async def watch(
    files: Sequence[Path],
    changed: Callable[[Path], None],
    *,
    interval: float = _INTERVAL_SECONDS,
) -> None:
    """Call `changed` with each file whose content on disk changed, until cancelled."""
    stamps = {path: stamp(path) for path in files}
    while True:
        await asyncio.sleep(interval)
        for path in files:
            now = stamp(path)
            if now != stamps[path]:
                stamps[path] = now
                changed(path)
