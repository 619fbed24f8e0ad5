"""How a namespace's watch reads events, and fetches the apps that they name."""

import asyncio

import structlog
from tests.drove.watched import Watched, in_virtual_time

from drove_gateway.drove.leader import Standing
from drove_gateway.drove.pace import PollPace
from drove_gateway.model.errors import BadResponse


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
