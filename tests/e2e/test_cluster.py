"""What happens on the cluster reaches the clients of a real proxy, and costs none of them."""

import json

import pytest
from tests.benches.processes import LEADER_VHOST, Bench, has_runtime_api

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_everything_is_served_and_health_says_so(shared: Bench) -> None:
    await shared.serves("web", "api")
    await shared.vhost_is(LEADER_VHOST, 200)
    await shared.vhost_is("unknown.test", 404)
    health = await shared.health()
    assert health["status"] == 200
    for section in ("Config", "Template", "UpstreamUpdatesViaAPI", "ResolverHealth"):
        assert health[section]["Healthy"] is True, health
    assert health["NamespaceHealth"]["main"] == {
        "Namespace": "main",
        "Healthy": True,
        "Message": "1 out of 3 endpoints are healthy",
    }
    assert [endpoint["Healthy"] for endpoint in health["NamespaceEndpoints"]["main"]].count(
        True
    ) == 1


async def test_a_new_app_is_served(shared: Bench) -> None:
    await shared.vhost_is("shop.test", 404)
    async with shared.traffic():
        await shared.cluster.deploy("shop", instances=2)
        await shared.serves("shop")
    await shared.reports(
        "/v1/config", lambda document: "shop.test" in document["LastKnownVhosts"]["Vhosts"]
    )
    await shared.cluster.remove_app("shop")
    await shared.vhost_is("shop.test", 404)


async def test_a_removed_app_is_served_no_more_and_the_others_are(shared: Bench) -> None:
    await shared.cluster.deploy("shop", instances=2)
    await shared.serves("shop")
    async with shared.traffic():
        await shared.cluster.remove_app("shop")
        await shared.vhost_is("shop.test", 404)
    await shared.healthy()


async def test_an_app_scales_up_and_down(shared: Bench) -> None:
    async with shared.traffic() as tally:
        await shared.cluster.scale("web", 6)
        await shared.serves("web")
        await shared.cluster.scale("web", 3)
        await shared.serves("web")
    assert tally.requests > 0
    status = await shared.status()
    steps = [step for change in status["history"] for step in change["steps"]]
    if shared.proxy.kind == "haproxy" and has_runtime_api(shared.proxy):
        assert {"add server", "drain server"} <= {step["action"] for step in steps}
    else:
        assert any("vhost web.test" in reason for reason in status["history"][0]["reload_reasons"])


async def test_an_app_is_suspended_and_comes_back(shared: Bench) -> None:
    await shared.cluster.scale("api", 0)
    await shared.vhost_is("api.test", 404)
    await shared.cluster.scale("api", 3)
    await shared.serves("api")


async def test_an_instance_that_dies_costs_no_request(shared: Bench) -> None:
    """A request under way is sent again: by NGINX, or by the client where HAProxy closes its
    connection."""
    async with shared.traffic("web.test", repeat=True):
        await shared.cluster.kill_instance(app="web", noticed_after=0.3)
        await shared.cluster.settled()
        await shared.serves("web")


async def test_a_new_version_takes_over_without_a_failed_request(shared: Bench) -> None:
    async with shared.traffic("web.test"):
        await shared.cluster.upgrade("web")
        await shared.serves("web")


async def test_the_leader_fails_over_and_the_next_ones_changes_arrive(shared: Bench) -> None:
    leader = shared.cluster.leader
    assert leader is not None
    async with shared.traffic():
        await shared.cluster.stop_controller(leader)
        await shared.cluster.scale("api", 4)
        await shared.serves("api")
        health = await shared.says("1 out of 3 endpoints are healthy")
        assert health["NamespaceEndpoints"]["main"][leader]["Healthy"] is False
        await shared.cluster.start_controller(leader)
    new = shared.cluster.leader
    assert new is not None
    assert new != leader
    url = shared.cluster.urls[new]
    document = await shared.reports(
        "/v1/config",
        lambda document: document["Namespaces"]["main"]["Leader"]["Endpoint"] == url,
    )
    assert document["Namespaces"]["main"]["LeaderVHost"] == LEADER_VHOST


async def test_while_no_controller_answers_traffic_continues(shared: Bench) -> None:
    async with shared.traffic():
        for number in range(3):
            await shared.cluster.stop_controller(number, elect=False)
        health = await shared.says("All endpoints are down")
        assert health["status"] == 500
        assert health["NamespaceHealth"]["main"]["Healthy"] is False
        assert health["Config"]["Healthy"] is True
        await shared.serves("web", "api")
        for number in range(3):
            await shared.cluster.start_controller(number)
        await shared.healthy()
    await shared.cluster.deploy("late", instances=1)
    await shared.serves("late")
    await shared.cluster.remove_app("late")


async def test_while_nobody_leads_traffic_continues(shared: Bench) -> None:
    async with shared.traffic():
        shared.cluster.drop_leadership()
        assert (await shared.says("All endpoints are down"))["status"] == 500
        await shared.cluster.move_leadership()
        await shared.healthy()
    assert "All endpoints are down" not in json.dumps(await shared.health())
