"""Bad answers of controllers change nothing that serves traffic, and health tells of them."""

import pytest
from tests.benches.processes import Bench

from drove_gateway.simulator import Fault

# `faults/test_controllers.py` has such responses with the other ways of driving a proxy.
pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("shared_bench", ["haproxy-by-reload"], indirect=True, scope="module"),
]


async def heals(bench: Bench) -> None:
    """Once answers are good again, changes arrive as ever."""
    bench.cluster.clear_faults()
    await bench.healthy()
    await bench.cluster.scale("web", 4)
    await bench.serves("web")
    await bench.cluster.scale("web", 3)
    await bench.serves("web")
    await bench.reports(
        "/v1/status", lambda document: document["namespaces"][0]["last_error"] == ""
    )


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(kind="garbage", route="endpoints"), id="garbage"),
        pytest.param(Fault(kind="truncated", route="endpoints"), id="truncated"),
        pytest.param(Fault(kind="wrong-types", route="endpoints"), id="another shape"),
        pytest.param(Fault(kind="html", route="endpoints", status=200), id="a page"),
        pytest.param(Fault(kind="status", route="endpoints", status=500), id="500"),
        pytest.param(Fault(kind="status", route="endpoints", status=503), id="503"),
        pytest.param(Fault(kind="failed", route="endpoints"), id="FAILED"),
        pytest.param(Fault(kind="cut", route="endpoints"), id="cut off"),
        pytest.param(Fault(kind="reset", route="endpoints"), id="reset"),
        pytest.param(Fault(kind="slow", route="endpoints", delay=30), id="slow"),
    ],
)
async def test_an_answer_that_is_none_changes_nothing_and_is_reported(
    shared: Bench, fault: Fault
) -> None:
    async with shared.traffic():
        shared.cluster.fault(fault)
        await shared.cluster.scale("web", 4)
        document = await shared.reports(
            "/v1/status", lambda document: document["namespaces"][0]["last_error"] != ""
        )
        assert document["namespaces"][0]["syncing"] is True
        assert document["servers"] == 6
        shared.cluster.clear_faults()
        await shared.serves("web")
    await shared.cluster.scale("web", 3)
    await heals(shared)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(kind="empty", route="endpoints"), id="empty"),
        pytest.param(Fault(kind="no-hosts", route="endpoints"), id="apps without hosts"),
    ],
)
async def test_a_suddenly_empty_answer_is_held_and_health_says_what(
    shared: Bench, fault: Fault
) -> None:
    async with shared.traffic():
        shared.cluster.fault(fault)
        # After an event only its app is fetched: the other follows with the next full fetch.
        known = "3 servers of 3 accepted a connection"
        health = await shared.reports(
            "/v1/health",
            lambda health: [known in held["Known"] for held in health["Held"]] == [1, 1],
        )
        assert [held["Vhosts"] for held in health["Held"]] == [["api.test"], ["web.test"]]
        for held in health["Held"]:
            assert (held["Namespace"], held["Servers"]) == ("main", 3)
            assert held["Reason"] == "these are the last servers of the vhost"
        await shared.serves("web", "api")
        shared.cluster.clear_faults()
        await shared.reports("/v1/health", lambda document: document["Held"] == [])
    await heals(shared)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(kind="status", status=500), id="500 for all"),
        pytest.param(Fault(kind="garbage"), id="garbage for all"),
        pytest.param(Fault(kind="slow", delay=30), id="all slow"),
        pytest.param(Fault(kind="reset"), id="all reset"),
    ],
)
async def test_when_every_answer_is_bad_traffic_continues(shared: Bench, fault: Fault) -> None:
    async with shared.traffic():
        shared.cluster.fault(fault)
        health = await shared.says("All endpoints are down")
        assert health["status"] == 500
        endpoints = health["NamespaceEndpoints"]["main"]
        assert all(
            not endpoint["Healthy"] and endpoint["Message"] != "OK" for endpoint in endpoints
        )
        await shared.serves("web", "api")
        shared.cluster.clear_faults()
        await shared.healthy()
    await heals(shared)


async def test_the_order_of_an_answer_does_not_touch_the_proxy(shared: Bench) -> None:
    before = await shared.reports(
        "/v1/status", lambda document: document["reconciler"]["state"] == "idle"
    )
    shared.cluster.fault(Fault(kind="shuffled", route="endpoints"))
    synced = before["namespaces"][0]["last_sync"]
    after = await shared.reports(
        "/v1/status", lambda document: document["namespaces"][0]["last_sync"] > synced
    )
    assert after["last_reload"] == before["last_reload"]
    assert after["history"][0] == before["history"][0]
    await heals(shared)


async def test_a_stray_answer_of_a_follower_does_not_make_it_the_leader(shared: Bench) -> None:
    """Two controllers answer the ping for a moment: the one that led stays the leader."""
    leader = shared.cluster.leader
    assert leader is not None
    url = shared.cluster.urls[leader]
    follower = (leader + 1) % 3
    async with shared.traffic():
        shared.cluster.fault(Fault(kind="leads", controller=follower, route="ping"))
        await shared.says("2 out of 3 endpoints are healthy")
        document = await shared.reports("/v1/config", lambda document: document["Namespaces"])
        assert document["Namespaces"]["main"]["Leader"]["Endpoint"] == url
    await heals(shared)
