"""Old workers are counted after each reload, and what they delay is reported once."""

import asyncio
from collections.abc import Callable

import pytest
from structlog import get_logger
from structlog.testing import capture_logs
from tests.waiting import until

from drove_gateway.daemon.worker_watch import watch_workers
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.workers import ReloadPressure, Workers
from drove_gateway.reconciler.reload_interval import reload_pressure

pytestmark = pytest.mark.asyncio


class Watched:
    """A proxy whose workers are `workers`, and what was made of them."""

    def __init__(self) -> None:
        self.workers: Workers | None = Workers(current=1)
        self.reloaded = asyncio.Event()
        self.pressures: list[ReloadPressure] = []

    async def look(self) -> Workers | None:
        return self.workers

    async def watch(self, *, seldom: float) -> None:
        await watch_workers(
            self.look,
            self.reloaded,
            lambda workers: reload_pressure(workers, 1.0, 30.0),
            self.pressures.append,
            EventLog(get_logger()),
            often=0.01,
            seldom=seldom,
        )

    async def sees(self, old: int) -> None:
        await until(lambda: self._last(lambda pressure: pressure.workers.old == old))

    async def _last(self, true: Callable[[ReloadPressure], bool]) -> bool:
        return bool(self.pressures) and true(self.pressures[-1])


async def test_after_a_reload_and_while_old_workers_are_left_they_are_counted_often() -> None:
    proxy = Watched()
    watching = asyncio.create_task(proxy.watch(seldom=3600))
    await proxy.sees(0)
    proxy.workers = Workers(current=1, old=3)
    proxy.reloaded.set()
    await proxy.sees(3)
    proxy.workers = Workers(current=1, old=1)
    await proxy.sees(1)
    proxy.workers = None
    await proxy.sees(0)
    watching.cancel()


async def test_reloads_by_others_are_noticed_too() -> None:
    proxy = Watched()
    watching = asyncio.create_task(proxy.watch(seldom=0.01))
    await proxy.sees(0)
    proxy.workers = Workers(current=1, old=2)
    await proxy.sees(2)
    watching.cancel()


async def test_the_log_says_once_that_old_workers_delay_reloads_and_when_that_ends() -> None:
    proxy = Watched()
    proxy.workers = Workers(current=1, old=12, old_memory=120_000_000)
    with capture_logs() as logs:
        watching = asyncio.create_task(proxy.watch(seldom=0.01))
        await until(lambda: _many(proxy))
        proxy.workers = Workers(current=1)
        await proxy.sees(0)
        watching.cancel()
    assert [(log["log_level"], log["old_workers"]) for log in logs] == [
        ("warning", 12),
        ("info", 0),
    ]
    assert (logs[0]["old_workers_mb"], logs[0]["reload_interval_sec"]) == (120, 17.3)


async def _many(proxy: Watched) -> bool:
    return len(proxy.pressures) > 3


async def test_it_ends_though_a_reload_comes_in_the_same_moment() -> None:
    """As when the configuration changes during an apply. The daemon would wait without end."""
    proxy = Watched()
    watching = asyncio.create_task(proxy.watch(seldom=3600))
    await proxy.sees(0)
    proxy.reloaded.set()
    watching.cancel()
    _, running = await asyncio.wait((watching,), timeout=5)
    assert not running
