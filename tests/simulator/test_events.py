"""The event store as a client sees it, and which changes have an event."""

from typing import Any

from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator

OF_A_NEW_LEADER = {"LEADERSHIP_ACQUIRED": 1, "EXECUTOR_ADDED": 10, "APP_STATE_CHANGE": 1}


async def summary(client: Client, sim: Simulator, cursor: int = 0) -> Any:
    return (await client.ask(sim, f"cluster/events/summary?lastSyncTime={cursor}")).data


async def latest(client: Client, sim: Simulator, cursor: int = 0, size: int = 1024) -> Any:
    path = f"cluster/events/latest?lastSyncTime={cursor}&size={size}"
    return (await client.ask(sim, path)).data


async def test_a_summary_counts_by_type(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=2)
        summed = await summary(client, sim)
    assert summed["eventsCount"] == {
        "LEADERSHIP_ACQUIRED": 1,
        "EXECUTOR_ADDED": 10,
        "APP_STATE_CHANGE": 3,
        "INSTANCE_STATE_CHANGE": 12,
    }


async def test_the_newest_key_is_returned_and_filters_what_was_seen(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web")
        seen = await latest(client, sim)
        assert seen["lastSyncTime"] == max(event["time"] for event in seen["events"])
        assert (await latest(client, sim, seen["lastSyncTime"]))["events"] == []
        assert (await summary(client, sim, seen["lastSyncTime"]))["eventsCount"] == {}


async def test_the_filter_is_greater_than(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=3)
        events = (await latest(client, sim))["events"]
        key = events[len(events) // 2]["time"]
        newer = (await latest(client, sim, key))["events"]
        assert newer == [event for event in events if event["time"] > key]


async def test_events_come_newest_first_and_at_most_size(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=3)
        events = await latest(client, sim)
        times = [event["time"] for event in events["events"]]
        assert times == sorted(times, reverse=True)
        assert events["events"][-1]["type"] == "LEADERSHIP_ACQUIRED"
        few = await latest(client, sim, size=2)
        assert few["events"] == events["events"][:2]
        assert few["lastSyncTime"] == events["lastSyncTime"]


async def test_the_returned_key_may_be_lower_than_the_one_sent(client: Client) -> None:
    async with Simulator() as sim:
        newest = (await summary(client, sim))["lastSyncTime"]
        far = newest + 1_000_000
        assert (await summary(client, sim, far))["lastSyncTime"] == newest


async def test_the_old_route_answers_the_bare_list(client: Client) -> None:
    async with Simulator() as sim:
        [event] = (await client.ask(sim, "cluster/events?size=1&lastSyncTime=0")).data
    assert set(event) == {"type", "id", "time", "metadata"}


async def test_metadata_has_the_keys_of_real_events(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=1)
        await sim.kill_instance(app="web", replace=False)
        sim.add_executor("10.0.0.99")
        events = (await latest(client, sim))["events"]
    newest = {event["type"]: event["metadata"] for event in reversed(events)}
    assert set(newest["APP_STATE_CHANGE"]) == {
        *("APP_ID", "APP_NAME", "APP_VERSION", "CURRENT_STATE", "CURRENT_INSTANCES", "VHOST"),
        *("PORTS", "EXECUTABLE", "CPU_COUNT", "MEMORY", "PLACEMENT_POLICY"),
    }
    assert set(newest["INSTANCE_STATE_CHANGE"]) == {
        *("APP_ID", "APP_NAME", "INSTANCE_ID", "EXECUTOR_ID", "EXECUTOR_HOST", "PORTS"),
        *("CURRENT_STATE", "CREATED", "ERROR"),
    }
    assert set(newest["EXECUTOR_ADDED"]) == {"EXECUTOR_ID", "HOSTNAME", "PORT"}
    assert newest["APP_STATE_CHANGE"]["PORTS"] == "main:8000:http"


async def states(client: Client, sim: Simulator, app_id: str, key: str) -> list[str]:
    """The states of the app's instances, or of the app, in the order of their events."""
    events = (await latest(client, sim))["events"][::-1]
    return [
        event["metadata"]["CURRENT_STATE"]
        for event in events
        if event["metadata"].get("APP_ID") == app_id and (key in event["metadata"])
    ]


async def test_an_instance_passes_through_the_states_of_a_real_one(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=1)
        await sim.scale("web", 0)
        await sim.settled()
        seen = await states(client, sim, "web-1", "INSTANCE_ID")
    assert seen == [
        *("PENDING", "PROVISIONING", "STARTING", "UNREADY", "READY", "HEALTHY"),
        *("STOPPING", "DEPROVISIONING", "STOPPED"),
    ]


async def test_a_dead_instance_is_unhealthy_and_its_events_name_the_error(client: Client) -> None:
    async with Simulator(Options(apps=1, instances=1, real=False)) as sim:
        await sim.kill_instance(app="app1", replace=False)
        events = (await latest(client, sim))["events"][::-1]
    dying = [e["metadata"] for e in events if e["type"] == "INSTANCE_STATE_CHANGE"]
    assert [(each["CURRENT_STATE"], each["ERROR"]) for each in dying] == [
        ("UNHEALTHY", "Healthcheck failed"),
        ("DEPROVISIONING", "Healthcheck failed"),
        ("STOPPED", "Healthcheck failed"),
    ]


async def test_every_instance_that_leaves_the_list_is_announced_by_host_and_port(
    client: Client,
) -> None:
    async with Simulator(Options(apps=1, instances=5, real=False)) as sim:
        before = await client.hosts(sim, "app1-1")
        await sim.scale("app1", 2)
        gone = set(before) - set(await client.hosts(sim, "app1-1"))
        events = (await latest(client, sim))["events"]
    announced = {
        (event["metadata"]["EXECUTOR_HOST"], int(event["metadata"]["PORTS"].split(":")[1]))
        for event in events
        if event["metadata"].get("CURRENT_STATE") == "STOPPING"
    }
    assert len(gone) == 3
    assert announced == gone


async def test_events_have_no_ports_before_the_container_runs(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=1)
        [(_, port)] = await client.hosts(sim, "web-1")
        events = (await latest(client, sim))["events"][::-1]
    ports = {
        event["metadata"]["CURRENT_STATE"]: event["metadata"]["PORTS"]
        for event in events
        if event["type"] == "INSTANCE_STATE_CHANGE"
    }
    assert ports["PENDING"] == ports["PROVISIONING"] == ports["STARTING"] == ""
    assert ports["UNREADY"] == ports["READY"] == ports["HEALTHY"] == f"main:{port}:http"


async def test_app_events_name_the_operation(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        change = await sim.deploy("web", instances=2)
        await sim.replace_instances("web")
        await sim.stop_instances("web", [])
        await sim.kill_instance(app="web", replace=False)
        await sim.remove_app("web")
        seen = await states(client, sim, change.app_id, "APP_VERSION")
    assert seen == [
        *("MONITORING", "SCALING_REQUESTED", "RUNNING", "REPLACE_INSTANCES_REQUESTED", "RUNNING"),
        *("STOP_INSTANCES_REQUESTED", "RUNNING", "OUTAGE_DETECTED"),
        *("SCALING_REQUESTED", "MONITORING", "DESTROY_REQUESTED", "DESTROYED"),
    ]


async def test_leadership_and_maintenance_events_name_the_controller(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        sim.maintenance(True)
        events = (await latest(client, sim))["events"]
    named = {event["type"]: event["metadata"] for event in events}
    assert named["LEADERSHIP_ACQUIRED"] == {"HOSTNAME": "127.0.0.1"}
    assert named["MAINTENANCE_MODE_SET"] == {"HOSTNAME": "127.0.0.1"}


async def test_a_new_leader_starts_with_no_events_and_its_own_clock(client: Client) -> None:
    async with Simulator(Options(clock_skews=(0, -3600), real=False)) as sim:
        await sim.deploy("web")
        before = await summary(client, sim)
        await sim.move_leadership(1)
        after = await summary(client, sim, before["lastSyncTime"])
        assert after["lastSyncTime"] < before["lastSyncTime"]
        assert after["eventsCount"] == {}
        assert (await summary(client, sim))["eventsCount"] == OF_A_NEW_LEADER


async def test_leadership_regained_starts_anew_too(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web")
        await sim.move_leadership(1)
        await sim.move_leadership(0)
        assert (await summary(client, sim))["eventsCount"] == OF_A_NEW_LEADER


async def test_a_leader_that_follows_a_killed_leader_does_not_say_so(client: Client) -> None:
    async with Simulator(Options(apps=1, real=False)) as sim:
        await sim.stop_controller(0)
        counts = (await summary(client, sim))["eventsCount"]
    assert counts == {"APP_STATE_CHANGE": 1, "EXECUTOR_ADDED": 10}


async def test_a_stale_event_is_never_seen_by_a_client_that_is_up_to_date(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=1)
        seen = (await summary(client, sim))["lastSyncTime"]
        sim.stale_events(100)
        await sim.scale("web", 5)
        assert await summary(client, sim, seen) == {"eventsCount": {}, "lastSyncTime": seen}
        assert (await client.listed(sim))["web-1"] == 5
        assert "INSTANCE_STATE_CHANGE" in (await summary(client, sim, 0))["eventsCount"]


async def test_an_executor_is_removed_before_its_instances_and_they_go_unannounced(
    client: Client,
) -> None:
    async with Simulator(Options(real=False, executors=("10.0.0.1", "10.0.0.2"))) as sim:
        await sim.deploy("web", instances=4)
        await sim.kill_executor("10.0.0.1")
        assert await client.listed(sim) == {"web-1": 4}
        seen = (await summary(client, sim))["lastSyncTime"]
        await sim.report_executor_lost("10.0.0.1", app_event_after=None)
        assert await client.listed(sim) == {"web-1": 2}
        assert (await summary(client, sim, seen))["eventsCount"] == {"EXECUTOR_REMOVED": 1}


async def test_staleness_and_port_changes_are_silent(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        change = await sim.deploy("web", instances=2)
        seen = (await summary(client, sim))["lastSyncTime"]
        before = await client.hosts(sim, "web-1")
        sim.silence_instance(change.added[0])
        assert await client.hosts(sim, "web-1") == before[1:]
        sim.silence_instance(change.added[0], silent=False)
        await sim.change_port(change.added[1])
        after = await client.hosts(sim, "web-1")
        assert after[0] == before[0]
        assert after[1] != before[1]
        assert (await summary(client, sim, seen))["eventsCount"] == {}


async def test_maintenance_has_events_and_gets_answer_as_usual(client: Client) -> None:
    async with Simulator(Options(apps=1, real=False)) as sim:
        sim.maintenance(True)
        assert (await client.ask(sim, "cluster")).data["state"] == "MAINTENANCE"
        assert await client.listed(sim) == {"app1-1": 2}
        sim.maintenance(False)
        counts = (await summary(client, sim))["eventsCount"]
    assert counts["MAINTENANCE_MODE_SET"] == counts["MAINTENANCE_MODE_REMOVED"] == 1


async def test_any_event_can_be_published(client: Client) -> None:
    async with Simulator() as sim:
        got = await client.control(
            sim, "publish", event_type="TASK_STATE_CHANGE", metadata={"TASK_ID": "T1"}
        )
        assert got.status == 200
        sim.publish("EXECUTOR_BLACKLISTED")
        newest, older, *_ = (await latest(client, sim))["events"]
    assert (newest["type"], newest["metadata"]) == ("EXECUTOR_BLACKLISTED", {})
    assert (older["type"], older["metadata"]) == ("TASK_STATE_CHANGE", {"TASK_ID": "T1"})
