"""The tasks of a gateway end within limits, and in their order."""

import asyncio
import time
from contextlib import suppress

import pytest
import structlog

from drove_gateway.daemon.tasks import StartInterrupted, running_tasks, unless
from drove_gateway.log.event_log import EventLog

LOG = EventLog(structlog.get_logger())


class Work:
    """Works until it is stopped, and then until `free`; `order` notes its end."""

    def __init__(self, name: str, order: list[str], *, hangs: bool = False) -> None:
        self.free = asyncio.Event()
        self._name, self._order, self._hangs = name, order, hangs

    def stop(self) -> None:
        if not self._hangs:
            self.free.set()

    async def run(self) -> None:
        await self.free.wait()
        self._order.append(self._name)


async def other(order: list[str]) -> None:
    try:
        await asyncio.sleep(1000)
    finally:
        order.append("other")


async def test_the_step_ends_first_then_the_tasks_then_what_is_stored() -> None:
    order: list[str] = []
    step, keeper = Work("step", order), Work("keeper", order)
    async with running_tasks(step, [keeper], [other(order)], log=LOG):
        await asyncio.sleep(0)
    assert order == ["step", "other", "keeper"]


async def test_a_step_and_a_keeper_that_hang_are_given_up() -> None:
    order: list[str] = []
    step, keeper = Work("step", order, hangs=True), Work("keeper", order, hangs=True)
    begin = time.monotonic()
    with structlog.testing.capture_logs() as lines:
        async with running_tasks(step, [keeper], [other(order)], finish_seconds=0.05, log=LOG):
            await asyncio.sleep(0)
    assert time.monotonic() - begin < 5
    assert order == ["other"]
    assert [line["event"] for line in lines] == ["step_abandoned"]


async def test_a_task_that_hangs_in_its_last_work_is_given_up() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            await asyncio.sleep(1000)

    begin = time.monotonic()
    keeper = Work("keeper", [])
    async with running_tasks(Work("step", []), [keeper], [stubborn()], log=LOG):
        await asyncio.sleep(0)
    assert time.monotonic() - begin < 5


async def test_a_task_that_loses_its_cancellation_ends_all_the_same() -> None:
    """As a fault in a library can make a task do."""
    lost = asyncio.Event()

    async def loses_a_cancellation() -> None:
        while True:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                if lost.is_set():
                    raise
                lost.set()

    keeper = Work("keeper", [])
    async with (
        asyncio.timeout(10),
        running_tasks(Work("step", []), [keeper], [loses_a_cancellation()], log=LOG),
    ):
        await asyncio.sleep(0)
    assert lost.is_set()


async def test_a_start_returns_its_result() -> None:
    assert await unless(asyncio.sleep(1000), asyncio.sleep(0, "started")) == "started"


async def test_a_start_is_interrupted_by_a_signal() -> None:
    async def signal() -> None: ...

    work = asyncio.Event()

    async def start() -> None:
        with suppress(TimeoutError):
            await asyncio.sleep(1000)
        work.set()

    with pytest.raises(StartInterrupted):
        await unless(signal(), start())
    assert not work.is_set()
