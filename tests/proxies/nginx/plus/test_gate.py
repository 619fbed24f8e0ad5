"""Writes are held back while the gate is closed, and nothing else is."""

import asyncio

import pytest
from tests.waiting import until

from drove_gateway.proxies.nginx.plus.gate import Gate


async def test_many_write_at_once() -> None:
    gate = Gate()
    async with gate.writing(), gate.writing():
        assert not gate.is_closed


async def test_closing_waits_for_those_inside_and_keeps_others_out() -> None:
    gate = Gate()
    order: list[str] = []
    inside, leave = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with gate.writing():
            inside.set()
            await leave.wait()
            order.append("first")

    async def reload() -> None:
        async with gate.closed():
            order.append("reload")

    async def second() -> None:
        async with gate.writing():
            order.append("second")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(first())
        await inside.wait()
        tasks.create_task(reload())
        await until(lambda: gate.is_closed)
        tasks.create_task(second())
        leave.set()
    assert order == ["first", "reload", "second"]


async def test_a_reload_that_fails_opens_the_gate_again() -> None:
    gate = Gate()
    with pytest.raises(ZeroDivisionError):
        async with gate.closed():
            1 / 0  # noqa: B018
    async with gate.writing():
        assert not gate.is_closed


async def test_a_writer_that_fails_is_not_waited_for() -> None:
    gate = Gate()
    with pytest.raises(ZeroDivisionError):
        async with gate.writing():
            1 / 0  # noqa: B018
    async with gate.closed():
        assert gate.is_closed
