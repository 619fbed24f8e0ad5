"""The watch of a namespace, against controllers in memory and in virtual time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine

import structlog
from tests.drove.fakes import Counted, FakeController, FakeEvent, Taken, served
from tests.drove.virtual_time import now, run

from drove_gateway.drove.follower import Clock
from drove_gateway.drove.leader import Standing
from drove_gateway.drove.namespace_watch import NamespaceWatch
from drove_gateway.drove.pace import PollPace
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import BadResponse, ControllerRefused
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


def test_at_the_start_the_leaders_apps_are_taken_at_once_and_as_settled() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        assert watched.serving == {"web": 1}
        assert not watched.taken.snapshots[-1].settling
        assert watched.taken.snapshots[-1].leader.endpoint == "http://c1:10000"
        assert watched.leader == "c1"
        assert not watched.view.syncing
        assert watched.view.last_sync is not None

    in_virtual_time(scenario)


def test_before_the_first_response_every_endpoint_is_pending() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        first = watched.taken.views[0]
        assert first.message == "pending first check"
        assert [endpoint.message for endpoint in first.endpoints] == ["pending first check"] * 3
        assert not first.healthy

    in_virtual_time(scenario)


def test_health_calls_only_the_leader_healthy() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        assert watched.view.message == "1 out of 3 endpoints are healthy"
        assert [endpoint.healthy for endpoint in watched.view.endpoints] == [True, False, False]
        assert watched.view.endpoints[0].message == "OK"
        assert watched.view.endpoints[1].message == "400 Bad Request"
        assert watched.metrics.gauges == {
            "configured_endpoints_total": 3,
            "healthy_endpoints_total": 1,
            "all_endpoints_down_errors": False,
        }
        assert watched.metrics.counts["endpoint_check_fails"] == 2
        assert watched.failures == 0

    in_virtual_time(scenario)


def test_a_change_is_fetched_at_the_next_poll() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].apps = {"web": 2}
        watched.cluster[0].happens(100, "INSTANCE_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(1.1)
        assert watched.serving == {"web": 2}
        assert watched.metrics.counts["drove_events_received"] == 1

    in_virtual_time(scenario)


def test_while_nothing_changes_only_summaries_are_requested() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(100)
        fetched, asked = watched.cluster[0].calls["endpoints"], watched.cluster[0].calls["events"]
        await asyncio.sleep(180)
        assert watched.cluster[0].calls["endpoints"] == fetched
        assert 170 <= watched.cluster[0].calls["events"] - asked <= 190
        await asyncio.sleep(200)
        assert watched.cluster[0].calls["endpoints"] == fetched + 1

    in_virtual_time(scenario)


def test_an_unchanged_response_is_offered_as_the_same_snapshot() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.watch.request_refresh()
        await asyncio.sleep(0.1)
        first, second = watched.taken.snapshots
        assert first is second

    in_virtual_time(scenario)


def test_a_requested_refresh_fetches_at_once() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].apps = {"silently": 9}
        watched.watch.request_refresh()
        await asyncio.sleep(0.01)
        assert watched.serving == {"silently": 9}

    in_virtual_time(scenario)


def test_events_of_other_kinds_fetch_nothing() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(100)
        fetched = watched.cluster[0].calls["endpoints"]
        watched.cluster[0].happens(100, "TASK_STATE_CHANGE")
        await asyncio.sleep(20)
        assert watched.cluster[0].calls["endpoints"] == fetched
        assert watched.metrics.counts["drove_events_received"] == 1

    in_virtual_time(scenario)


def test_a_lost_executors_instances_are_noticed_without_an_event_of_theirs() -> None:
    async def scenario(watched: Watched) -> None:
        watched.cluster[0].apps = {"web": 1, "other": 2}
        await asyncio.sleep(0.1)
        watched.cluster[0].happens(100, "EXECUTOR_REMOVED")
        await asyncio.sleep(35)
        watched.cluster[0].apps = {"web": 1}
        await asyncio.sleep(11)
        assert watched.serving == {"web": 1}

    in_virtual_time(scenario)


def test_fail_over_takes_one_round_of_pings() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].standing = Standing.ABSENT
        watched.cluster[1].standing = Standing.LEADS
        watched.cluster[1].apps = {"web": 5}
        await asyncio.sleep(2.1)
        assert watched.serving == {"web": 5}
        assert watched.taken.snapshots[-1].leader.endpoint == "http://c2:10000"
        assert watched.cluster[1].asked[0] == 0

    in_virtual_time(scenario)


def test_a_refused_call_pings_at_once() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].standing = Standing.STANDS_BY
        watched.cluster[1].standing = Standing.LEADS
        watched.cluster[1].apps = {"web": 5}
        await asyncio.sleep(1.1)
        assert watched.serving == {"web": 5}

    in_virtual_time(scenario, pace=PollPace(ping=60.0, events=1.0, full_refresh=300.0, burst=1.0))


def test_a_new_leader_is_settling_for_ninety_seconds_and_then_responds_once_more() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].standing, watched.cluster[1].standing = (
            Standing.STANDS_BY,
            Standing.LEADS,
        )
        await asyncio.sleep(85)
        assert watched.taken.snapshots[-1].settling
        assert watched.view.settling
        assert watched.cluster[1].calls["endpoints"] > 80
        await asyncio.sleep(10)
        assert not watched.taken.snapshots[-1].settling
        fetched = watched.cluster[1].calls["endpoints"]
        await asyncio.sleep(60)
        assert watched.cluster[1].calls["endpoints"] == fetched

    in_virtual_time(scenario)


def test_a_leader_that_lost_and_regained_the_leadership_unseen_is_settling_too() -> None:
    async def scenario(watched: Watched) -> None:
        watched.cluster[0].recorded = [FakeEvent(50, "APP_STATE_CHANGE")]
        await asyncio.sleep(0.1)
        assert not watched.taken.snapshots[-1].settling
        watched.cluster[0].recorded = [FakeEvent(100, "LEADERSHIP_ACQUIRED")]
        await asyncio.sleep(1.1)
        assert watched.taken.snapshots[-1].settling
        await asyncio.sleep(95)
        assert not watched.taken.snapshots[-1].settling

    in_virtual_time(scenario)


def test_when_no_controller_leads_the_last_apps_stay_and_health_says_why() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].standing = Standing.STANDS_BY
        await asyncio.sleep(30)
        assert len(watched.taken.offered) == 1
        assert watched.view.leader is None
        assert watched.view.message == "All endpoints are down"
        who = "http://c1:10000, http://c2:10000, http://c3:10000"
        assert f"{who}: 400 Bad Request" in watched.view.last_error
        assert watched.metrics.gauges["all_endpoints_down_errors"] is True
        assert watched.metrics.counts["drove_stream_no_data_warnings"] > 5
        assert watched.failures > 5

    in_virtual_time(scenario)


def test_a_response_held_by_the_guard_is_offered_again_and_the_cursor_stays() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.taken.holding = True
        watched.cluster[0].apps = {}
        watched.cluster[0].happens(100, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(20)
        assert len(watched.taken.offered) > 15
        assert watched.view.held
        assert watched.view.syncing
        assert set(watched.cluster[0].asked) == {0}
        watched.taken.holding = False
        await asyncio.sleep(1.1)
        assert not watched.view.held
        await asyncio.sleep(5.1)
        assert watched.cluster[0].asked[-1] == 100

    in_virtual_time(scenario)


def test_a_bad_response_keeps_the_last_apps_and_shows_in_the_view() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].apps = {"web": 2}
        watched.cluster[0].happens(100, "APP_STATE_CHANGE", APP_NAME="web")
        watched.cluster[0].endpoints_error = BadResponse("the response's status is 'FAILED'")
        await asyncio.sleep(30)
        assert watched.serving == {"web": 1}
        assert watched.view.last_error == "the response's status is 'FAILED'"
        assert watched.view.syncing
        assert watched.metrics.counts["drove_app_sync_failed"] > 2
        assert watched.failures > 2
        watched.cluster[0].endpoints_error = None
        await asyncio.sleep(4.1)
        assert watched.serving == {"web": 2}
        assert watched.view.last_error == ""

    in_virtual_time(scenario)


def test_without_a_readable_summary_the_endpoints_are_requested_outright() -> None:
    async def scenario(watched: Watched) -> None:
        watched.cluster[0].events_error = ControllerRefused("404 Not Found", 404)
        await asyncio.sleep(0.1)
        watched.cluster[0].apps = {"web": 2}
        await asyncio.sleep(4.1)
        assert watched.serving == {"web": 2}
        assert watched.view.last_error == "404 Not Found"
        assert watched.metrics.counts["drove_stream_errors"] > 1

    in_virtual_time(scenario)


def test_a_failing_leader_is_asked_less_often_but_never_four_times_less() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].events_error = ControllerRefused("503 Service Unavailable", 503)
        watched.cluster[0].endpoints_error = ControllerRefused("503 Service Unavailable", 503)
        before = watched.cluster[0].calls["events"]
        await asyncio.sleep(120)
        assert 28 <= watched.cluster[0].calls["events"] - before <= 35

    in_virtual_time(scenario)


def test_a_slow_leader_gets_as_long_a_rest_as_it_took_to_respond() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(100)
        asked = watched.cluster[0].calls["events"]
        watched.cluster[0].latency = 3.0
        await asyncio.sleep(61)
        assert 9 <= watched.cluster[0].calls["events"] - asked <= 11

    in_virtual_time(scenario)


def test_a_leader_too_slow_to_ping_is_still_asked_while_no_other_leads() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].standing = Standing.UNWELL
        watched.cluster[0].apps = {"web": 2}
        watched.cluster[0].happens(100, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(5)
        assert watched.serving == {"web": 2}
        assert not watched.view.healthy
        assert watched.leader == "c1"
        watched.cluster[1].standing = Standing.LEADS
        await asyncio.sleep(2.1)
        assert watched.leader == "c2"

    in_virtual_time(scenario)


def test_a_call_that_hangs_does_not_delay_fail_over() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        watched.cluster[0].latency = 3600.0
        await asyncio.sleep(5)
        watched.cluster[0].standing, watched.cluster[1].standing = Standing.UNWELL, Standing.LEADS
        watched.cluster[1].apps = {"web": 7}
        await asyncio.sleep(2.1)
        assert watched.serving == {"web": 7}

    in_virtual_time(scenario)


def test_a_controller_whose_machine_is_gone_delays_neither_the_start_nor_fail_over() -> None:
    async def scenario(watched: Watched) -> None:
        watched.cluster[1].ping_latency = 3600.0
        await asyncio.sleep(0.6)
        assert watched.serving == {"web": 1}
        assert watched.view.endpoints[1].message == "no response within 0.5 s of the leader's"
        watched.cluster[0].ping_latency = watched.cluster[0].latency = 3600.0
        watched.cluster[2].standing = Standing.LEADS
        watched.cluster[2].apps = {"web": 7}
        await asyncio.sleep(2.6)
        assert watched.serving == {"web": 7}

    in_virtual_time(scenario)


def test_a_view_is_published_only_when_it_differs() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(200)
        assert len(watched.taken.views) < 20
        assert all(
            a != b for a, b in zip(watched.taken.views, watched.taken.views[1:], strict=False)
        )

    in_virtual_time(scenario)


def test_a_change_fetches_only_the_app_that_it_names() -> None:
    async def scenario(watched: Watched) -> None:
        watched.cluster[0].apps = {"api": 7, "web": 1}
        await asyncio.sleep(100)
        fetched = watched.cluster[0].calls["endpoints"]
        watched.cluster[0].apps = {"api": 7, "web": 2}
        watched.cluster[0].happens(100, "INSTANCE_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(20)
        assert watched.serving == {"api": 7, "web": 2}
        assert watched.cluster[0].calls["endpoints"] == fetched
        assert set(watched.cluster[0].fetched) == {frozenset({"web"})}
        watched.cluster[0].apps = {"api": 7, "new": 3}
        watched.cluster[0].happens(200, "APP_STATE_CHANGE", APP_NAME="web")
        watched.cluster[0].happens(200, "APP_STATE_CHANGE", APP_NAME="new")
        await asyncio.sleep(20)
        assert watched.serving == {"api": 7, "new": 3}

    in_virtual_time(scenario)


def test_a_controller_that_ignores_the_names_is_requested_everything_from_then_on() -> None:
    async def scenario(watched: Watched) -> None:
        leader = watched.cluster[0]
        leader.ignores_names = True
        leader.apps = {"api": 7, "web": 1}
        await asyncio.sleep(100)
        for port in (2, 3):
            leader.apps = {"api": 7, "web": port}
            leader.happens(port, "APP_STATE_CHANGE", APP_NAME="web")
            await asyncio.sleep(20)
            assert watched.serving == {"api": 7, "web": port}
        assert leader.calls["endpoints of apps"] == 1

    in_virtual_time(scenario)


def test_what_changed_without_an_event_is_found_by_the_full_fetch_counted_and_logged() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(350)
        watched.cluster[0].apps = {"web": 9}
        with structlog.testing.capture_logs() as logs:
            await asyncio.sleep(310)
        assert watched.serving == {"web": 9}
        assert watched.metrics.counts["drove_audit_differences"] == 1
        (line,) = [line for line in logs if line["event"] == "unannounced_changes_fetched"]
        assert (line["apps"], line["count"]) == ("web-1", 1)

    in_virtual_time(scenario)


def test_a_full_fetch_without_a_difference_is_neither_counted_nor_logged() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(100)
        watched.cluster[0].apps = {"web": 2}
        watched.cluster[0].happens(100, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(900)
        assert watched.metrics.counts["drove_audit_differences"] == 0

    in_virtual_time(scenario)


def test_a_snapshot_carries_what_was_announced() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(10)
        watched.cluster[0].apps = {}
        watched.cluster[0].happens(
            100,
            "INSTANCE_STATE_CHANGE",
            APP_NAME="web",
            APP_ID="web-1",
            CURRENT_STATE="STOPPING",
            EXECUTOR_HOST="ex1.dc",
            PORTS="main:1:http",
        )
        await asyncio.sleep(1.1)
        snapshot = watched.taken.snapshots[-1]
        assert snapshot.apps == ()
        assert snapshot.announced.instances == {("ex1.dc", 1)}

    in_virtual_time(scenario)


def test_an_announcement_outlives_the_leader_that_made_it() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(10)
        watched.cluster[0].happens(
            100,
            "INSTANCE_STATE_CHANGE",
            APP_NAME="web",
            CURRENT_STATE="STOPPING",
            EXECUTOR_HOST="ex1.dc",
            PORTS="main:1:http",
        )
        watched.cluster[0].endpoints_error = BadResponse("cut off")
        await asyncio.sleep(1.1)
        watched.cluster[0].standing = Standing.ABSENT
        watched.cluster[1].standing = Standing.LEADS
        await asyncio.sleep(2.1)
        assert watched.taken.snapshots[-1].leader.host == "c2"
        assert watched.taken.snapshots[-1].announced.instances == {("ex1.dc", 1)}

    in_virtual_time(scenario)


def test_after_a_change_events_are_polled_fast_for_some_seconds() -> None:
    pace = PollPace(ping=2.0, events=5.0, full_refresh=300.0, burst=0.5)

    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(100)
        leader = watched.cluster[0]
        asked = leader.calls["events"]
        await asyncio.sleep(20)
        assert leader.calls["events"] - asked <= 5
        leader.happens(100, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(5)
        for port in range(2, 7):
            leader.apps = {"web": port}
            leader.happens(100 + port, "APP_STATE_CHANGE", APP_NAME="web")
            await asyncio.sleep(0.6)
            assert watched.serving == {"web": port}
        await asyncio.sleep(20)
        asked = leader.calls["events"]
        await asyncio.sleep(20)
        assert leader.calls["events"] - asked <= 5

    in_virtual_time(scenario, pace)


def test_a_slow_leader_is_not_asked_more_often_after_a_change() -> None:
    pace = PollPace(ping=2.0, events=5.0, full_refresh=300.0, burst=0.5)

    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(100)
        leader = watched.cluster[0]
        leader.latency = 1.0
        leader.happens(100, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(6)
        asked = leader.calls["events"]
        await asyncio.sleep(10)
        assert leader.calls["events"] - asked <= 2

    in_virtual_time(scenario, pace)


def test_an_absurd_time_of_a_controller_does_not_make_the_gateway_deaf() -> None:
    async def scenario(watched: Watched) -> None:
        leader = watched.cluster[0]
        leader.says = 2**63 - 1
        await asyncio.sleep(100)
        for port in range(2, 5):
            leader.apps = {"web": port}
            leader.happens(100 * port, "APP_STATE_CHANGE", APP_NAME="web")
            await asyncio.sleep(10)
            assert watched.serving == {"web": port}
        leader.says = None
        leader.apps = {"web": 9}
        leader.happens(1000, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(1.1)
        assert watched.serving == {"web": 9}

    in_virtual_time(scenario)


def test_an_event_from_a_clock_that_jumped_does_not_hide_later_events() -> None:
    async def scenario(watched: Watched) -> None:
        leader = watched.cluster[0]
        leader.date = 1_000_000
        leader.happens(10**15, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(100)
        leader.apps = {"web": 2}
        leader.happens(1_000_000, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(1.1)
        assert watched.serving == {"web": 2}
        assert max(leader.asked) <= 1_000_000

    in_virtual_time(scenario)


def test_a_restarted_store_of_events_is_read_from_its_start() -> None:
    async def scenario(watched: Watched) -> None:
        leader = watched.cluster[0]
        leader.happens(5000, "APP_STATE_CHANGE", APP_NAME="web")
        await asyncio.sleep(100)
        leader.recorded.clear()
        leader.happens(300, "APP_STATE_CHANGE", APP_NAME="web")
        leader.apps = {"web": 2}
        await asyncio.sleep(1.1)
        assert watched.serving == {"web": 2}
        assert watched.view.settling
        assert leader.asked[-1] in {0, 5000}

    in_virtual_time(scenario)


def test_the_log_says_why_nobody_leads_when_it_begins_changes_and_ends() -> None:
    async def scenario(watched: Watched) -> None:
        with structlog.testing.capture_logs() as logs:
            await asyncio.sleep(10)
            watched.cluster[0].standing = Standing.STANDS_BY
            await asyncio.sleep(60)
            watched.cluster[1].standing = Standing.UNWELL
            watched.cluster[1].message = "401 Unauthorized"
            await asyncio.sleep(60)
            watched.cluster[0].standing = Standing.LEADS
            await asyncio.sleep(10)
        lines = [
            line
            for line in logs
            if line["event"] != "leader_followed" and line["event"].startswith("leader_")
        ]
        assert [line["event"] for line in lines] == [
            "leader_lost",
            "leader_still_lost",
            "leader_back",
        ]
        assert "http://c1:10000, http://c2:10000, http://c3:10000: 400" in lines[0]["reasons"]
        assert "http://c2:10000: 401 Unauthorized" in lines[1]["reasons"]

    in_virtual_time(scenario)


def test_when_nobody_leads_at_the_start_the_log_says_why() -> None:
    async def scenario(watched: Watched) -> None:
        watched.cluster[0].standing = Standing.STANDS_BY
        with structlog.testing.capture_logs() as logs:
            await asyncio.sleep(60)
        assert len([line for line in logs if line["event"] == "leader_lost"]) == 1

    in_virtual_time(scenario)


def test_debug_shows_each_poll() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(100)
        with structlog.testing.capture_logs() as logs:
            watched.cluster[0].happens(100, "APP_STATE_CHANGE", APP_NAME="web")
            await asyncio.sleep(1.1)
        debug = {line["event"]: line for line in logs if line["log_level"] == "debug"}
        assert debug["events_polled"]["events"] == 1
        assert debug["endpoints_fetched"]["scope"] == "web"
        assert debug["controllers_pinged"]["pings"].startswith("http://c1:10000: OK")

    in_virtual_time(scenario)
