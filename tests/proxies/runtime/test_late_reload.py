"""When a reload that may wait is due."""

import asyncio

from tests.waiting import until

from drove_gateway.model.workers import Workers
from drove_gateway.proxies.runtime.late_reload import CountWorkers, LateReload


async def test_it_is_due_once_for_all_that_wait_and_only_after_its_interval() -> None:
    woken: list[str] = []
    late = LateReload(0.05, _workers(Workers(current=2)))
    task = asyncio.create_task(late.run(woken.append))
    late.add({"b.test"})
    late.add({"a.test"})
    assert late.reasons == ()
    await until(lambda: bool(woken))
    assert woken == ["vhost a.test and 1 more gets blocks of its own"]
    assert late.reasons == tuple(woken)
    late.reloaded()
    assert late.reasons == ()
    task.cancel()


async def test_it_waits_while_several_reloads_have_left_their_workers() -> None:
    woken: list[str] = []
    workers = [Workers(current=2, old=6), Workers(current=2, old=6), Workers(current=2, old=4)]
    counted = []

    async def count() -> Workers:
        counted.append(workers.pop(0))
        return counted[-1]

    late = LateReload(0.01, count)
    task = asyncio.create_task(late.run(woken.append))
    late.add({"a.test"})
    await until(lambda: bool(woken))
    assert len(counted) == 3
    task.cancel()


async def test_a_reload_for_another_reason_ends_the_wait() -> None:
    woken: list[str] = []
    late = LateReload(0.02, _workers(None))
    task = asyncio.create_task(late.run(woken.append))
    late.add({"a.test"})
    late.reloaded()
    await asyncio.sleep(0.06)
    assert woken == []
    task.cancel()


async def test_a_reload_while_the_workers_are_counted_ends_the_wait() -> None:
    woken: list[str] = []
    counting, counted = asyncio.Event(), asyncio.Event()

    async def count() -> None:
        counting.set()
        await counted.wait()

    late = LateReload(0.01, count)
    task = asyncio.create_task(late.run(woken.append))
    late.add({"a.test"})
    await asyncio.wait_for(counting.wait(), 2)
    late.reloaded()
    counted.set()
    late.add({"b.test"})
    await until(lambda: bool(woken))
    assert woken == ["vhost b.test gets blocks of its own"]
    assert not task.done()
    task.cancel()


async def test_a_reload_during_the_count_leaves_nothing_due() -> None:
    counting, counted = asyncio.Event(), asyncio.Event()

    async def count() -> None:
        counting.set()
        await counted.wait()

    late = LateReload(0.01, count)
    task = asyncio.create_task(late.run(lambda _: None))
    late.add({"a.test"})
    await asyncio.wait_for(counting.wait(), 2)
    late.reloaded()
    counted.set()
    done, _ = await asyncio.wait([task], timeout=0.05)
    assert not done
    assert late.reasons == ()
    task.cancel()


async def test_vhosts_that_left_need_no_reload() -> None:
    woken: list[str] = []
    late = LateReload(0.02, _workers(None))
    task = asyncio.create_task(late.run(woken.append))
    late.add({"a.test", "b.test"})
    late.retain({"b.test"})
    await until(lambda: bool(woken))
    assert woken == ["vhost b.test gets blocks of its own"]
    late.retain({})
    assert late.reasons == ()
    task.cancel()


def _workers(workers: Workers | None) -> CountWorkers:
    async def count() -> Workers | None:
        return workers

    return count
