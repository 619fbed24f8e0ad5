"""How a namespace's watch follows its leader, and what it does without a leader."""

import asyncio

import structlog
from tests.drove.fakes import FakeEvent
from tests.drove.watched import Watched, in_virtual_time

from drove_gateway.drove.leader import Standing
from drove_gateway.drove.pace import PollPace
from drove_gateway.model.errors import ControllerRefused


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


def test_fail_over_happens_though_a_call_to_the_old_leader_loses_its_cancellation() -> None:
    """As a fault in a library can make a call do."""

    async def scenario(watched: Watched) -> None:
        first, second = watched.cluster[:2]
        first.loses_a_cancellation = True
        first.latency = 50.0
        await asyncio.sleep(2.1)
        first.standing, second.standing = Standing.STANDS_BY, Standing.LEADS
        second.apps = {"web": 5}
        await asyncio.sleep(4)
        assert watched.serving == {"web": 5}

    in_virtual_time(scenario)


def test_the_view_says_since_when_the_leader_leads() -> None:
    async def scenario(watched: Watched) -> None:
        await asyncio.sleep(0.1)
        assert watched.view.leads_since is not None
        first = watched.view.leads_since
        watched.cluster[0].standing = Standing.ABSENT
        await asyncio.sleep(10)
        assert watched.view.leads_since is None
        watched.cluster[1].standing = Standing.LEADS
        await asyncio.sleep(2.1)
        assert watched.view.leads_since is not None
        assert 10 <= watched.view.leads_since - first <= 12.2

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
