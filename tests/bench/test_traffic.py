"""The load of the benchmarks counts every request that it makes."""

from itertools import pairwise

from bench.rig.traffic import Answer, Load
from tests.traffic import Instance, free_port
from tests.waiting import until


async def test_requests_are_answered_over_kept_connections() -> None:
    instance, answers = await Instance("one").start(), list[Answer]()
    load = Load(instance.port, ["a"], rate=500, connections=3, note=answers.append)
    async with load.running():
        await until(lambda: len(answers) >= 100)
    assert {(answer.status, answer.body) for answer in answers} == {(200, b"one")}
    assert load.connected == 3
    assert len(answers) == instance.requests
    await instance.stop()


async def test_a_request_counts_from_when_it_was_due() -> None:
    instance, answers = await Instance("one").start(), list[Answer]()
    load = Load(instance.port, ["a"], rate=200, connections=1, note=answers.append)
    async with load.running():
        await until(lambda: len(answers) >= 20)
    pauses = [later.due - answer.due for answer, later in pairwise(answers)]
    assert all(abs(pause - 1 / 200) < 1e-6 for pause in pauses)
    await instance.stop()


async def test_a_connection_that_breaks_and_one_that_is_refused_are_failures() -> None:
    instance, answers = await Instance("one").start(), list[Answer]()
    load = Load(instance.port, ["a"], rate=200, connections=2, note=answers.append)
    async with load.running():
        await until(lambda: len(answers) >= 10)
        await instance.stop()
        await until(lambda: any(answer.status == 0 for answer in answers))


async def test_nothing_is_answered_where_nobody_listens() -> None:
    answers = list[Answer]()
    load = Load(free_port(), ["a"], rate=100, connections=1, note=answers.append)
    async with load.running():
        await until(lambda: len(answers) >= 3)
    assert {answer.status for answer in answers} == {0}
