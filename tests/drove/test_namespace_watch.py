"""The watch of a namespace, against controllers in memory and in virtual time."""

import asyncio

import structlog
from tests.drove.watched import Watched, in_virtual_time

from drove_gateway.model.errors import BadResponse, ControllerRefused


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


def test_a_view_is_published_only_when_it_differs() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(200)
        assert len(watched.taken.views) < 20
        assert all(
            a != b for a, b in zip(watched.taken.views, watched.taken.views[1:], strict=False)
        )

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
