"""Notices when problems begin and end, so that every view can say since when there is one."""

import asyncio
from collections.abc import Callable

from drove_gateway.model.health import ProxyHealth
from drove_gateway.status import status
from drove_gateway.status.problems import problems
from drove_gateway.status.publisher import StatusPublisher

_INTERVAL_SECONDS = 1.0


async def watch_problems(
    publisher: StatusPublisher, health: Callable[[], ProxyHealth], wall: Callable[[], float]
) -> None:
    """Compare the problems each second, until cancelled. `wall` returns Unix seconds."""
    while True:
        latest = status.with_proxy(publisher.current, health())
        keys = [each.key for each in problems(latest)]
        publisher.publish(status.with_problems, keys, wall())
        await asyncio.sleep(_INTERVAL_SECONDS)
