"""Leader changes, and what a new leader does not know yet."""

import pytest
from tests.simulator.client import Client

from drove_gateway.simulator import Options, Simulator, SimulatorError


async def leaders(client: Client, sim: Simulator) -> list[int]:
    """The controllers that answer a ping with 200."""
    answers = [await client.ask(sim, "ping", controller=number) for number in range(3)]
    return [number for number, got in enumerate(answers) if got.status == 200]


async def test_leadership_moves_to_the_next_or_the_named_controller(client: Client) -> None:
    async with Simulator() as sim:
        await sim.move_leadership()
        assert await leaders(client, sim) == [1]
        await sim.move_leadership(0)
        assert await leaders(client, sim) == [0]


async def test_a_killed_leader_is_followed_by_a_running_controller(client: Client) -> None:
    async with Simulator(Options(apps=1, real=False)) as sim:
        await sim.stop_controller(1)
        await sim.stop_controller(0)
        assert sim.leader == 2
        assert await client.listed(sim) == {"app1-1": 2}
        assert (await client.ask(sim, "cluster")).data["leader"] == sim.urls[2][len("http://") :]


async def test_nobody_leads_when_no_election_is_held(client: Client) -> None:
    async with Simulator() as sim:
        await sim.stop_controller(0, elect=False)
        assert sim.leader is None
        await sim.start_controller(0, elect=False)
        assert await leaders(client, sim) == []
        await sim.start_controller(0)
        assert await leaders(client, sim) == [0]


async def test_leadership_cannot_go_to_a_stopped_or_unknown_controller() -> None:
    async with Simulator() as sim:
        await sim.stop_controller(1)
        with pytest.raises(SimulatorError, match="controller 1 is stopped"):
            await sim.move_leadership(1)
        with pytest.raises(SimulatorError, match="numbered 0 to 2"):
            await sim.move_leadership(7)
        assert sim.leader == 0


async def test_a_recovering_leader_lists_nothing_then_some_then_all(client: Client) -> None:
    async with Simulator(Options(apps=4, instances=4, real=False)) as sim:
        sim.recover("empty")
        assert await client.listed(sim) == {}
        sim.recover("partial")
        assert await client.listed(sim) == {"app1-1": 4, "app3-1": 4}
        sim.recover("no-hosts")
        assert list((await client.listed(sim)).values()) == [0, 0, 0, 0]
        sim.recover("done")
        assert sum((await client.listed(sim)).values()) == 16


async def test_applications_tell_which_apps_are_not_ready(client: Client) -> None:
    async with Simulator(Options(apps=2, real=False)) as sim:
        sim.recover("empty")
        apps = (await client.ask(sim, "applications")).data
        assert [app.get("state") for app in apps.values()] == [None, None]
        assert all(app["requiredInstances"] > 0 for app in apps.values())
        sim.recover("partial")
        apps = (await client.ask(sim, "applications")).data
        assert [app.get("state") for app in apps.values()] == ["RUNNING", "INIT"]


async def test_a_new_leader_recovers_by_itself(client: Client) -> None:
    async with Simulator(Options(apps=4, real=False)) as sim:
        await sim.move_leadership(recovering=0.5)
        assert await client.listed(sim) == {}
        await sim.settled()
        assert len(await client.listed(sim)) == 4


async def test_recovery_ends_with_the_term(client: Client) -> None:
    async with Simulator(Options(apps=4, real=False)) as sim:
        await sim.move_leadership(1, recovering=0.02)
        await sim.move_leadership(0)
        sim.recover("empty")
        await sim.settled()
        assert await client.listed(sim) == {}
