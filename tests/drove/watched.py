"""A namespace's watch in virtual time, in front of controllers that are imitated."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

import structlog
from tests.drove.fakes import Counted, FakeController, Taken, served
from tests.drove.virtual_time import now, run

from drove_gateway.drove.follower import Clock
from drove_gateway.drove.leader import Standing
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.namespace_view import NamespaceView

PACE = PollPace(ping=2.0, events=1.0, full_refresh=300.0, burst=1.0)


def three_controllers() -> list[FakeController]:
    return [
        FakeController("http://c1:10000", apps={"web": 1}),
        FakeController("http://c2:10000", Standing.STANDS_BY),
        FakeController("http://c3:10000", Standing.STANDS_BY),
    ]


class Watched:
    """A running watch and what it gave."""

    def __init__(self, controllers: list[FakeController], pace: PollPace) -> None:
        self.cluster = controllers
        self.taken = Taken()
        self.metrics = Counted()
        self.failures = 0
        self.watch = NamespaceWatch(
            "stage",
            controllers,
            pace=pace,
            accept=self.taken.accept,
            publish=self.taken.publish,
            failed=self.count_failure,
            metrics=self.metrics,
            log=EventLog(structlog.get_logger()),
            around=Clock(clock=now, wall=lambda: now() + 1e9, random=lambda: 0.5),
        )

    def count_failure(self) -> None:
        self.failures += 1

    @property
    def view(self) -> NamespaceView:
        return self.taken.views[-1]

    @property
    def leader(self) -> str:
        return self.view.leader.host if self.view.leader else "nobody"

    @property
    def serving(self) -> dict[str, int]:
        return served(self.taken.snapshots[-1])


@contextlib.asynccontextmanager
async def running(watched: Watched) -> AsyncIterator[None]:
    task = asyncio.create_task(watched.watch.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def in_virtual_time(
    scenario: Callable[[Watched], Coroutine[object, object, None]], pace: PollPace = PACE
) -> None:
    async def play() -> None:
        watched = Watched(three_controllers(), pace)
        async with running(watched):
            await scenario(watched)

    with structlog.testing.capture_logs():
        run(play())
