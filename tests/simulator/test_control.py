"""The control API: the simulator's methods over HTTP."""

import time

from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator

QUIET = Options(apps=2, real=False)


async def test_apps_come_grow_and_go(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        deployed = await client.control(sim, "deploy", name="web", instances=3, tags={"a": "b"})
        assert deployed.status == 200
        assert deployed.json["app_id"] == "web-1"
        assert deployed.body.endswith(b"}\n")
        assert deployed.json["visible_at"] <= time.monotonic()
        assert (await client.control(sim, "scale", app="web", instances=5)).status == 200
        assert (await client.listed(sim))["web-1"] == 5
        assert (await client.control(sim, "upgrade", name="web")).json["app_id"] == "web-2"
        assert (await client.control(sim, "remove-app", app="app1")).status == 200
        assert await client.listed(sim) == {"app2-1": 2, "web-2": 5}


async def test_things_die(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        killed = await client.control(sim, "kill-instance", app="app1", replace=False)
        assert len(killed.json["removed"]) == 1
        assert (await client.control(sim, "kill-executor", executor="10.0.0.2")).status == 200
        lost = await client.control(sim, "report-executor-lost", executor="10.0.0.2")
        assert len(lost.json["removed"]) == 1
        assert (await client.control(sim, "settled")).status == 200
        assert await client.listed(sim) == {"app1-1": 2, "app2-1": 2}


async def test_controllers_change(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await client.control(sim, "move-leadership", to=2)
        assert sim.leader == 2
        await client.control(sim, "stop-controller", controller=2)
        assert sim.leader == 0
        await client.control(sim, "drop-leadership")
        assert sim.leader is None
        await client.control(sim, "start-controller", controller=2)
        assert sim.leader is not None
        await client.control(sim, "maintenance", on=True)
        assert (await client.ask(sim, "cluster")).data["state"] == "MAINTENANCE"


async def test_faults_are_set_and_cleared(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await client.control(sim, "fault", kind="status", status=503, route="endpoints")
        assert (await client.ask(sim, "endpoints")).status == 503
        state = (await client.url(f"{sim.control.url}/state")).json
        assert [fault["kind"] for fault in state["faults"]] == ["status"]
        await client.control(sim, "clear-faults")
        assert (await client.ask(sim, "endpoints")).status == 200


async def test_the_state_tells_everything(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await sim.stop_controller(1)
        state = (await client.url(f"{sim.control.url}/state")).json
    assert [each["url"] for each in state["controllers"]] == sim.urls
    assert [each["running"] for each in state["controllers"]] == [True, False, True]
    assert [each["leader"] for each in state["controllers"]] == [True, False, False]
    assert [app["id"] for app in state["apps"]] == ["app1-1", "app2-1"]
    assert state["apps"][0]["vhost"] == "app1.local"
    assert [each["listed"] for each in state["apps"][0]["instances"]] == [True, True]
    assert len(state["executors"]) == 10


async def test_the_exchanges_tell_what_was_asked_since(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await client.ask(sim, "ping")
        change = (await client.control(sim, "scale", app="app1", instances=3)).json
        await client.ask(sim, "endpoints", headers={"Accept-Encoding": "identity"})
        asked = await client.control(sim, "exchanges", since=change["visible_at"])
        body = (await client.ask(sim, "endpoints")).body
    [exchange] = asked.json["result"]
    assert (exchange["controller"], exchange["path"]) == (0, "/v1/endpoints")
    assert change["visible_at"] <= exchange["begun"] <= exchange["answered"] <= time.monotonic()
    assert exchange["bytes"] == len(body)


async def test_mistakes_are_explained(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        unknown = await client.control(sim, "explode")
        assert unknown.status == 404
        assert "POST /deploy name" in unknown.json["error"]
        misspelt = await client.control(sim, "scale", app="app1", instnces=3)
        assert misspelt.status == 400
        assert "instnces" in misspelt.json["error"]
        assert "POST /scale app instances" in misspelt.json["error"]
        missing = await client.control(sim, "scale", app="app1")
        assert "`instances`" in missing.json["error"]
        kind = await client.control(sim, "fault", kind="explosion")
        assert "explosion" in kind.json["error"]
        impossible = await client.control(sim, "scale", app="web", instances=3)
        assert impossible.status == 409
        assert "there are: app1-1, app2-1" in impossible.json["error"]
        broken = await client.url(f"{sim.control.url}/scale", method="POST", data=b"{")
        assert broken.status == 400


async def test_the_front_page_lists_the_commands(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        page = (await client.url(sim.control.url)).body.decode()
    assert page == sim.control.usage
    assert "POST /kill-executor executor [lost_after=null]\n" in page
