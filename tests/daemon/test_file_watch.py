"""The files that a configuration is made of are watched."""

import asyncio
from pathlib import Path

from tests.waiting import until

from drove_gateway.daemon.file_watch import watch


async def test_a_changed_file_is_reported_once(tmp_path: Path) -> None:
    file, other = tmp_path / "a.tmpl", tmp_path / "b.tmpl"
    file.write_text("one")
    other.write_text("one")
    changed: list[Path] = []
    task = asyncio.create_task(watch((file, other), changed.append, interval=0.01))
    try:
        await asyncio.sleep(0.05)
        assert changed == []

        file.write_text("another")
        await until(lambda: len(changed) == 1)
        await asyncio.sleep(0.05)
        assert changed == [file]

        file.unlink()
        await until(lambda: len(changed) == 2)
        file.write_text("new")
        await until(lambda: len(changed) == 3)
    finally:
        task.cancel()
