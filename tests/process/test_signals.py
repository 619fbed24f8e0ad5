"""In which order signals are taken."""

import asyncio
from signal import Signals

import pytest

from drove_gateway.process.signals import SignalQueue


async def taken(*came: Signals) -> list[Signals]:
    inbox = SignalQueue()
    for number in came:
        inbox.put(number)
    return [await inbox.next() for _ in set(came)]


async def test_signals_are_taken_in_the_order_in_which_they_came() -> None:
    assert await taken(Signals.SIGHUP, Signals.SIGUSR1) == [Signals.SIGHUP, Signals.SIGUSR1]
    assert await taken(Signals.SIGUSR1, Signals.SIGHUP) == [Signals.SIGUSR1, Signals.SIGHUP]


async def test_one_that_came_twice_is_taken_once() -> None:
    assert await taken(Signals.SIGHUP, Signals.SIGHUP) == [Signals.SIGHUP]


@pytest.mark.parametrize("ending", [Signals.SIGTERM, Signals.SIGINT])
async def test_signals_that_end_the_daemon_come_first(ending: Signals) -> None:
    assert await taken(Signals.SIGHUP, ending) == [ending, Signals.SIGHUP]


async def test_a_proxy_is_not_left_alone_when_both_signals_of_its_restart_wait() -> None:
    """The kernel hands out what is pending in any order."""
    both = [Signals.SIGUSR1, Signals.SIGUSR2]
    assert await taken(Signals.SIGUSR1, Signals.SIGUSR2) == both
    assert await taken(Signals.SIGUSR2, Signals.SIGUSR1) == both


async def test_a_waiting_task_gets_the_next_signal() -> None:
    inbox = SignalQueue()
    waiting = asyncio.create_task(inbox.next())
    asyncio.get_running_loop().call_soon(inbox.put, Signals.SIGHUP)
    assert await waiting is Signals.SIGHUP


async def test_a_signal_that_ends_the_daemon_interrupts_a_start_and_is_still_taken() -> None:
    inbox = SignalQueue()
    interrupted = asyncio.create_task(inbox.ending())
    inbox.put(Signals.SIGHUP)
    await asyncio.sleep(0)
    assert not interrupted.done()
    inbox.put(Signals.SIGTERM)
    await interrupted
    assert await inbox.next() is Signals.SIGTERM
