"""Watches the old workers that reloads leave behind, and has reloads paced by them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.workers import ReloadPressure, Workers

# Longer than it takes idle workers to end after a reload.
_OFTEN_SECONDS = 1.0
_SELDOM_SECONDS = 30.0


async def watch_workers(
    workers: Callable[[], Awaitable[Workers | None]],
    reloaded: asyncio.Event,
    pace: Callable[[Workers], ReloadPressure],
    publish: Callable[[ReloadPressure], None],
    log: EventLog,
    *,
    often: float = _OFTEN_SECONDS,
    seldom: float = _SELDOM_SECONDS,
) -> None:
    """Look until cancelled: `often` seconds after the proxy was `reloaded` and while old workers
    are left, otherwise every `seldom` seconds, since others may reload it too.

    Log when old workers begin and cease to delay reloads. Where the workers cannot be seen, none
    count.
    """
    before = ReloadPressure()
    while True:
        reloaded.clear()
        pressure = pace(await workers() or Workers())
        publish(pressure)
        if pressure.delays != before.delays:
            _log(log, pressure)
        before = pressure
        if not pressure.workers.old:
            with suppress(TimeoutError):
                async with asyncio.timeout(seldom):
                    await reloaded.wait()
        await asyncio.sleep(often)


def _log(log: EventLog, pressure: ReloadPressure) -> None:
    workers = pressure.workers
    if pressure.delays:
        log.write(
            LogEvent.OLD_WORKERS_DELAY_RELOADS,
            old_workers=workers.old,
            old_workers_mb=round(workers.old_memory / 1e6),
            reload_interval_sec=round(pressure.interval, 1),
        )
    else:
        log.write(LogEvent.OLD_WORKERS_ENDED, old_workers=workers.old)
