"""The tasks of a gateway end, whatever they do about it."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from structlog import get_logger

from drove_gateway.daemon.tasks import running_tasks
from drove_gateway.log.event_log import EventLog
from drove_gateway.reconciler.reconciler import Reconciler

pytestmark = pytest.mark.asyncio


async def nothing() -> None:
    """Have nothing to do."""


async def loses_a_cancellation(lost: asyncio.Event) -> None:
    """Continue after the first cancellation, as a fault in a library can make a task do."""
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            if lost.is_set():
                raise
            lost.set()


async def test_a_task_that_loses_its_cancellation_ends_all_the_same() -> None:
    reconciler = cast("Reconciler", SimpleNamespace(run=nothing, stop=lambda: None))
    keeper = SimpleNamespace(run=nothing, stop=lambda: None)
    lost = asyncio.Event()
    log = EventLog(get_logger())
    async with asyncio.timeout(10):
        async with running_tasks(
            reconciler, (keeper,), (loses_a_cancellation(lost),), finish_seconds=1, log=log
        ):
            await asyncio.sleep(0)
    assert lost.is_set()
