"""Bounded parallelism whose first failure ends all."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")


async def each(
    items: Iterable[Item], work: Callable[[Item], Awaitable[None]], *, parallel: int
) -> None:
    """Do `work` for every item, `parallel` at a time, in order.

    The first exception cancels what runs, and is raised itself, not in a group.
    """
    pending = iter(items)

    async def worker() -> None:
        for item in pending:
            await work(item)

    try:
        async with asyncio.TaskGroup() as workers:
            for _ in range(parallel):
                workers.create_task(worker())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
