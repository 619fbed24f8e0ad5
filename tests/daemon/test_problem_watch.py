"""Since when there is a problem, and until when, seen or not."""

import asyncio

import msgspec
import pytest

from drove_gateway.daemon.problem_watch import pause, watch_problems
from drove_gateway.model.about import About
from drove_gateway.model.health import HealthSection, ProxyHealth
from drove_gateway.status.problems import problems
from drove_gateway.status.publisher import StatusPublisher
from drove_gateway.status.status import Status, with_problems, with_proxy

WELL = ProxyHealth(config=HealthSection(), template=HealthSection())
BROKEN = msgspec.structs.replace(WELL, template=HealthSection(healthy=False, message="line 7"))
TEMPLATE = "The template cannot be used"
FIRST = Status(About("1.0"), 0.0, {}, "lb1")


async def test_a_problem_is_noticed_without_anybody_looking() -> None:
    publisher = StatusPublisher(FIRST)

    task = asyncio.create_task(watch_problems(publisher, lambda: BROKEN, lambda: 100.0))
    await asyncio.sleep(0)
    task.cancel()

    assert publisher.current.since == {TEMPLATE: 100.0}
    (found,) = problems(with_proxy(publisher.current, BROKEN))
    assert (found.what, found.since) == (TEMPLATE, 100.0)


def test_a_problem_keeps_its_time_for_as_long_as_it_lasts() -> None:
    status = with_problems(FIRST, ["a"], 100.0)
    status = with_problems(status, ["a", "b"], 200.0)
    assert status.since == {"a": 100.0, "b": 200.0}

    status = with_problems(with_problems(status, ["b"], 300.0), ["a", "b"], 400.0)
    assert status.since == {"a": 400.0, "b": 200.0}


def test_without_news_the_status_stays_the_same_value() -> None:
    status = with_problems(FIRST, ["a"], 100.0)

    assert with_problems(status, ["a"], 200.0) is status


def test_a_comparison_that_takes_long_comes_less_often() -> None:
    assert pause(0.001) == 1.0
    assert pause(0.3) == pytest.approx(30.0)
