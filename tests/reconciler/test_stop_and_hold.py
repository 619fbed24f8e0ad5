"""What a stop ends at once, and what waits while the reconciler is on hold."""

import asyncio

import pytest
from tests.drove import virtual_time
from tests.reconciler.story import (
    PACE,
    FakeProxy,
    ReconcilerRun,
    at,
    run_story,
    since_start,
    topology,
)

from drove_gateway.model.errors import CheckRefused
from drove_gateway.model.records import Progress
from drove_gateway.reconciler.schedule import ApplyPace


@pytest.mark.parametrize(
    ("moment", "what"),
    [
        pytest.param(0.0, "nothing known", id="waiting for a first topology"),
        pytest.param(7.0, "idle", id="idle"),
        pytest.param(15.5, "paced", id="pacing"),
        pytest.param(31.0, "failed", id="retrying"),
    ],
)
def test_a_stop_ends_every_wait_at_once(moment: float, what: str) -> None:
    async def story() -> tuple[float, int]:
        proxy = FakeProxy()
        run = ReconcilerRun(proxy, ApplyPace(quiet=0, longest=0, between_reloads=10), lambda: 0.5)
        running = asyncio.create_task(run.reconciler.run())
        if what != "nothing known":
            await at(1)
            run.desire(web=1)
        if what == "paced":
            await at(5)
            run.desire(web=2)
            await at(12)
            run.desire(web=3)
        if what == "failed":
            await at(30)
            proxy.always = CheckRefused("no")
            run.desire(web=4)
        await at(moment)
        run.reconciler.stop()
        await running
        return since_start(), len(proxy.applies)

    ended, applies = virtual_time.run(story())
    assert ended == pytest.approx(moment)
    assert applies == {"nothing known": 0, "idle": 1, "paced": 2, "failed": 2}[what]


def test_a_stop_lets_the_step_under_way_finish_and_begins_no_other() -> None:
    async def story() -> tuple[float, FakeProxy]:
        proxy = FakeProxy(takes=5)
        run = ReconcilerRun(proxy, PACE, lambda: 0.5)
        running = asyncio.create_task(run.reconciler.run())
        run.desire(web=1)
        await at(1)
        run.desire(web=2)
        run.reconciler.stop()
        await running
        return since_start(), proxy

    ended, proxy = virtual_time.run(story())
    assert ended == 5
    assert proxy.times == [0]
    assert proxy.applied == topology(web=1)


def test_while_it_is_held_back_nothing_is_begun() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        run.desire(web=1)
        await at(20)
        run.desire(web=2)
        assert run.published[-1] == Progress("held back", 5300)
        await at(40)
        run.reconciler.release()

    run = run_story(story)
    assert run.proxy.times == [40]
    assert set(run.proxy.applied.apps["web"].hosts) == set(topology(web=2).apps["web"].hosts)
    assert "warning" not in run.levels()


def test_a_hold_has_a_limit_that_is_logged() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        await at(10)
        run.desire(web=1)

    run = run_story(story)
    assert run.proxy.times == [300]
    assert run.levels()[0] == "warning"


def test_holding_back_can_be_prolonged() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        run.desire(web=1)
        await at(200)
        run.reconciler.hold_back(300)

    assert run_story(story).proxy.times == [500]


def test_the_step_under_way_is_not_held_back() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.desire(web=1)
        await at(1)
        run.reconciler.hold_back(300)
        run.desire(web=2)

    run = run_story(story, FakeProxy(takes=5.0))
    assert run.proxy.times == [0, 301]


def test_it_stops_while_it_is_held_back() -> None:
    async def story(run: ReconcilerRun) -> None:
        run.reconciler.hold_back(300)
        run.desire(web=1)

    assert run_story(story, until=10.0).proxy.times == []
