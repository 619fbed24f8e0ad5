"""The routes beside endpoints and events, and what Drove's clients post."""

from typing import Any

import pytest
from tests.simulator.client import Client, Got

from drove_gateway.simulator import Options, Simulator

QUIET = Options(real=False)


async def operate(client: Client, sim: Simulator, **operation: Any) -> Got:
    got = await client.ask(sim, "applications/operations", method="POST", json=operation)
    await sim.settled()
    return got


async def test_applications_by_id(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await sim.deploy("web", instances=3)
        apps = (await client.ask(sim, "applications")).data
        app = (await client.ask(sim, "applications/web-1")).data
    assert apps == {"web-1": app}
    assert app == {
        "id": "web-1",
        "name": "web",
        "requiredInstances": 3,
        "healthyInstances": 3,
        "totalCPUs": 3,
        "totalMemory": 384,
        "state": "RUNNING",
        "created": app["created"],
        "updated": app["updated"],
    }


async def test_a_specification(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await sim.deploy("web", vhost="w.local", tags={"a": "b"}, wait_before_kill=3)
        spec = (await client.ask(sim, "applications/web-1/spec")).data
    assert spec["exposureSpec"] == {"vhost": "w.local", "portName": "main", "mode": "ALL"}
    assert spec["tags"] == {"a": "b"}
    assert spec["preShutdown"]["waitBeforeKill"] == "3 seconds"


async def test_instances_and_one_instance(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        change = await sim.deploy("web", instances=2)
        both = (await client.ask(sim, "applications/web-1/instances")).data
        assert [each["instanceId"] for each in both] == list(change.added)
        path = f"applications/web-1/instances/{change.added[1]}"
        data = (await client.ask(sim, path)).data
        unknown = await client.ask(sim, "applications/web-1/instances/AI-x")
    assert data == both[1]
    assert (data["state"], data["errorMessage"], data["appId"]) == ("HEALTHY", "", "web-1")
    [port] = data["localInfo"]["ports"].values()
    assert port["portType"] == "HTTP"
    assert unknown.json["status"] == "FAILED"


async def test_the_cluster_adds_up(client: Client) -> None:
    async with Simulator(Options(apps=2, instances=3, real=False)) as sim:
        await sim.deploy("idle", instances=0)
        cluster = (await client.ask(sim, "cluster")).data
        executors = (await client.ask(sim, "cluster/executors")).data
        executor = (await client.ask(sim, f"cluster/executors/{executors[0]['executorId']}")).data
    assert (cluster["numApplications"], cluster["numActiveApplications"]) == (3, 2)
    assert cluster["numExecutors"] == len(executors) == 10
    assert cluster["usedCores"] == sum(each["usedCores"] for each in executors) == 6
    assert cluster["freeCores"] + cluster["usedCores"] == cluster["totalCores"]
    assert cluster["freeMemory"] + cluster["usedMemory"] == cluster["totalMemory"]
    assert executor["state"]["executorId"] == executors[0]["executorId"]
    assert len(executor["instances"]) == executors[0]["usedCores"]


async def test_there_are_no_tasks_and_no_local_services(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        assert (await client.ask(sim, "tasks")).data == []
        assert (await client.ask(sim, "localservices")).data == {}


async def test_maintenance_is_set_and_unset(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        on = await client.ask(sim, "cluster/maintenance/set", method="POST", json={})
        assert on.data["state"] == "MAINTENANCE"
        off = await client.ask(sim, "cluster/maintenance/unset", method="POST", json={})
        assert off.data["state"] == "NORMAL"


async def test_an_app_lives_by_operations(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        spec = {"name": "web", "version": "7", "exposureSpec": {"vhost": "w.local"}}
        created = await operate(client, sim, type="CREATE", spec=spec)
        assert created.data == {"appId": "web-7"}
        app = {"appId": "web-7"}
        await operate(client, sim, type="START_INSTANCES", instances=2, **app)
        assert await client.listed(sim) == {"web-7": 2}
        await operate(client, sim, type="SCALE", requiredInstances=4, **app)
        assert await client.listed(sim) == {"web-7": 4}
        ids = [each["instanceId"] for each in await instances(client, sim)]
        await operate(
            client, sim, type="STOP_INSTANCES", instanceIds=ids[:1], skipRespawn=True, **app
        )
        await operate(client, sim, type="STOP_INSTANCES", instanceIds=ids[1:2], **app)
        await operate(client, sim, type="REPLACE_INSTANCES", instanceIds=ids[2:3], **app)
        left = [each["instanceId"] for each in await instances(client, sim)]
        assert len(left) == 3
        assert set(left) & set(ids) == {ids[3]}
        await operate(client, sim, type="SUSPEND", **app)
        assert await client.listed(sim) == {}
        await operate(client, sim, type="DESTROY", **app)
        assert (await client.ask(sim, "applications")).data == {}


async def instances(client: Client, sim: Simulator) -> Any:
    return (await client.ask(sim, "applications/web-7/instances")).data


async def test_an_operation_on_a_busy_app_is_accepted_and_dropped(client: Client) -> None:
    async with Simulator(Options(apps=1, instances=1, real=False, healthy_after=0.2)) as sim:
        path = "applications/operations"
        for size in (3, 7):
            operation = {"type": "SCALE", "appId": "app1-1", "requiredInstances": size}
            got = await client.ask(sim, path, method="POST", json=operation)
            assert got.data == {"appId": "app1-1"}
        await sim.settled()
        assert await client.listed(sim) == {"app1-1": 3}


async def test_recovering_an_app_starts_what_is_missing(client: Client) -> None:
    async with Simulator(Options(apps=1, instances=3, real=False)) as sim:
        await sim.kill_instance(app="app1", replace=False)
        await operate(client, sim, type="RECOVER", appId="app1-1")
        assert await client.listed(sim) == {"app1-1": 3}


async def test_impossible_operations_fail(client: Client) -> None:
    async with Simulator(Options(apps=1, real=False)) as sim:
        unknown = await operate(client, sim, type="SCALE", appId="no-1", requiredInstances=1)
        running = await operate(client, sim, type="DESTROY", appId="app1-1")
        again = await operate(client, sim, type="CREATE", spec={"name": "app1", "version": "1"})
        for got in (unknown, running, again):
            assert (got.status, got.json["status"]) == (200, "FAILED")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type":"SCALE","appId":"app1-1"}', b"\xff"])
async def test_unreadable_operations_are_refused(client: Client, body: bytes) -> None:
    async with Simulator(Options(apps=1, real=False)) as sim:
        json = {"Content-Type": "application/json"}
        got = await client.ask(
            sim, "applications/operations", method="POST", data=body, headers=json
        )
    assert got.status == 400
    assert got.json["data"]["validationErrors"]
