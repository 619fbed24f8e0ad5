"""Work that a signal ends."""

import asyncio
import os
import signal

import pytest

from drove_gateway.demo.interruption import ENDING_SIGNALS, ended_by_itself


async def test_work_that_ends_is_complete() -> None:
    async def work() -> None:
        await asyncio.sleep(0)

    assert await ended_by_itself(work())


async def test_an_error_of_the_work_is_raised() -> None:
    async def work() -> None:
        raise ValueError("no port")

    with pytest.raises(ValueError, match="no port"):
        await ended_by_itself(work())


@pytest.mark.parametrize("number", ENDING_SIGNALS)
async def test_a_signal_ends_the_work_and_later_signals_do_not_interrupt_its_cleanup(
    number: signal.Signals,
) -> None:
    cleaned: list[str] = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(60)
        finally:
            for step in ("proxy", "files"):
                os.kill(os.getpid(), number)
                await asyncio.sleep(0.01)
                cleaned.append(step)

    async with asyncio.timeout(10):
        assert not await ended_by_itself(work())
    assert cleaned == ["proxy", "files"]
