"""The tasks of a running gateway, and the order in which they end."""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Iterable
from contextlib import asynccontextmanager
from typing import Any, Protocol, TypeVar

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog

FINISH_SECONDS = 4.0
"""How long the step in progress may still take when the gateway ends."""

# What is cancelled may write the file or tell the proxy first; the second time it may not. A
# cancellation that comes in the moment of a result may be lost in a library.
_LAST_SECONDS = (2.0, 0.5, 0.5)

_T = TypeVar("_T")


class Stoppable(Protocol):
    """Works until it is stopped: the reconciler, or what stores what happened."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


class StartInterrupted(Exception):
    """Raised when a signal ends the daemon while it starts."""


async def unless(ending: Coroutine[Any, Any, None], work: Coroutine[Any, Any, _T]) -> _T:
    """Return what `work` returns. Raises StartInterrupted when `ending` completes first; then
    `work` is cancelled."""
    working, interrupting = asyncio.ensure_future(work), asyncio.ensure_future(ending)
    try:
        await asyncio.wait((working, interrupting), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise StartInterrupted
    finally:
        await _cancel((working, interrupting))


@asynccontextmanager
async def running_tasks(
    reconciler: Stoppable,
    keepers: Iterable[Stoppable],
    others: Iterable[Coroutine[Any, Any, None]],
    *,
    finish_seconds: float = FINISH_SECONDS,
    log: EventLog,
) -> AsyncIterator[None]:
    """Run the reconciler, the keepers and `others` until the context ends.

    Then the step in progress is finished, within `finish_seconds`, the others are cancelled, and
    what was applied is stored. Nothing of it is waited for without a limit.
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
            await asyncio.wait(keeping, timeout=_LAST_SECONDS[0])
            await _cancel(keeping)


async def _cancel(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancel `tasks`; what they do last has a limit."""
    for seconds in _LAST_SECONDS:
        left = [task for task in tasks if not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=seconds)


async def _finish(reconciling: asyncio.Task[None], seconds: float, log: EventLog) -> None:
    await asyncio.wait((reconciling,), timeout=seconds)
    if not reconciling.done():
        log.write(LogEvent.STEP_ABANDONED, waited_sec=seconds)
        await _cancel((reconciling,))
