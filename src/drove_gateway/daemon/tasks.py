"""The tasks of a running gateway, and the order in which they end."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.reconciler.reconciler import Reconciler

_CANCEL_AGAIN_SECONDS = 1.0


class Keeper(Protocol):
    """Stores what happened, until it is stopped."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


@asynccontextmanager
async def running_tasks(
    reconciler: Reconciler,
    keepers: Iterable[Keeper],
    others: Iterable[Coroutine[Any, Any, None]],
    *,
    finish_seconds: float,
    log: EventLog,
) -> AsyncIterator[None]:
    """Run the reconciler, the keepers and `others` until the context ends.

    Then the step in progress is finished, within `finish_seconds`, the others are cancelled, and
    what was applied is stored.
    """
    async with asyncio.TaskGroup() as group:
        reconciling = group.create_task(reconciler.run())
        keepers = tuple(keepers)
        keeping = [group.create_task(keeper.run()) for keeper in keepers]
        tasks = [group.create_task(other) for other in others]
        try:
            yield
        finally:
            reconciler.stop()
            await _finish(reconciling, finish_seconds, log)
            await _cancel(tasks)
            for keeper in keepers:
                keeper.stop()
            await asyncio.wait(keeping)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    """End the tasks. A cancellation that comes in the moment of a result may be lost in a library,
    and the gateway would wait without end."""
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_CANCEL_AGAIN_SECONDS)


async def _finish(reconciling: asyncio.Task[None], seconds: float, log: EventLog) -> None:
    await asyncio.wait((reconciling,), timeout=seconds)
    if not reconciling.done():
        log.write(LogEvent.STEP_ABANDONED, waited_sec=seconds)
        reconciling.cancel()
