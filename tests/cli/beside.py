"""The program in a process of its own, beside what it asks."""

import asyncio
import sys
from pathlib import Path


async def printed(directory: Path, *arguments: str) -> bytes:
    """What `drove-gateway` prints with `arguments` in `directory`; it must end with 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "drove_gateway", *arguments),
        cwd=directory,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors
    return out
