"""How late a change of Drove's is noticed, by the event's own time, in virtual time."""

import asyncio
import random

import structlog
from tests.drove.fakes import Counted, FakeController, Taken, served
from tests.drove.virtual_time import now, run

from drove_gateway.drove.events import EventsPage
from drove_gateway.drove.follower import Clock
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import ControllerRefused

EPOCH = 1e9
AHEAD = 120.0
"""How many seconds the controller's clock is ahead of ours."""


class Dated(FakeController):
    """A controller that sends the date, in whole seconds."""

    async def events(self, last_sync: int) -> EventsPage:
        self.date = int(EPOCH + now() + AHEAD) * 1000
        return await super().events(last_sync)


def measured(controller: FakeController, *, fails: float = 0.0) -> tuple[Taken, Counted]:
    """Watch for a minute, then change an app 0.3 s before the poll that shows it.

    Fetching fails for so many seconds, at the end of which another app changes.
    """
    taken, metrics = Taken(), Counted()
    chance = random.Random(0)

    async def scenario() -> None:
        watch = NamespaceWatch(
            "stage",
            [controller],
            pace=PollPace(ping=2.0, events=1.0, full_refresh=300.0, burst=1.0),
            accept=taken.accept,
            publish=taken.publish,
            metrics=metrics,
            log=EventLog(structlog.get_logger()),
            around=Clock(clock=now, wall=lambda: EPOCH + now(), random=chance.random),
        )
        task = asyncio.create_task(watch.run())
        await asyncio.sleep(60.0)
        controller.apps["web"] = 2
        happened = int((EPOCH + now() + AHEAD - 0.3) * 1000)
        controller.happens(happened, "APP_STATE_CHANGE", APP_ID="web-1", APP_NAME="web")
        if fails:
            controller.endpoints_error = ControllerRefused("503 Service Unavailable", 503)
        watch.request_refresh()
        await asyncio.sleep(fails or 0.1)
        if fails:
            happened = int((EPOCH + now() + AHEAD) * 1000)
            controller.happens(happened, "APP_STATE_CHANGE", APP_ID="api-1", APP_NAME="api")
            await asyncio.sleep(2.0)
            controller.endpoints_error = None
            await asyncio.sleep(60.0)
        task.cancel()

    with structlog.testing.capture_logs():
        run(scenario())
    return taken, metrics


def test_the_event_s_own_time_says_how_late_a_change_is_noticed() -> None:
    taken, metrics = measured(Dated("http://c1:10000", apps={"web": 1}))
    noticed = taken.snapshots[-1].noticed

    assert noticed is not None
    assert noticed.after is not None
    assert abs(noticed.after - 0.3) < 0.15
    assert metrics.counts["drove_notice_duration_seconds"] == 1


def test_without_the_controller_s_date_nothing_is_measured() -> None:
    taken, metrics = measured(FakeController("http://c1:10000", apps={"web": 1}))
    noticed = taken.snapshots[-1].noticed

    assert noticed is not None
    assert noticed.after is None
    assert metrics.counts["drove_notice_duration_seconds"] == 0


def test_a_change_that_could_not_be_fetched_counts_from_when_it_was_noticed() -> None:
    taken, _ = measured(Dated("http://c1:10000", apps={"web": 1}), fails=20.0)
    snapshot = next(each for each in taken.snapshots if served(each) == {"web": 2})

    assert snapshot.noticed is not None
    assert snapshot.noticed.after is not None
    assert abs(snapshot.noticed.after - 0.3) < 0.15
    assert 1059.0 < snapshot.noticed.at < 1062.0
