"""Notices when problems begin and end, so that every view can say since when there is one."""

import asyncio
import time
from collections.abc import Callable

from drove_gateway.model.health import ProxyHealth
from drove_gateway.status import status
from drove_gateway.status.problems import problems
from drove_gateway.status.publisher import StatusPublisher

_INTERVAL_SECONDS = 1.0
# The comparison takes longer with more vhosts and problems; it may use this part of a core.
_MOST_OF_A_CORE = 0.01


async def watch_problems(
    publisher: StatusPublisher, health: Callable[[], ProxyHealth], wall: Callable[[], float]
) -> None:
    """Compare the problems each second, or less often where that takes long, until cancelled.

    `wall` returns Unix seconds.
    """
    while True:
        begin = time.thread_time()
        latest = status.with_proxy(publisher.current, health())
        keys = [each.key for each in problems(latest)]
        publisher.publish(status.with_problems, keys, wall())
        await asyncio.sleep(pause(time.thread_time() - begin))


def pause(took: float) -> float:
    """Return the seconds until the next comparison, where the last took so many of a core."""
    return max(_INTERVAL_SECONDS, took / _MOST_OF_A_CORE)
