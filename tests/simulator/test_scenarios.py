"""What happens to many instances or apps at once."""

import asyncio

import aiohttp
import pytest
from tests.simulator.client import Client, until

from drove_gateway.simulator import Options, Simulator, SimulatorError

QUIET = Options(apps=3, instances=4, real=False)


async def test_several_instances_die_at_once_and_are_replaced(client: Client) -> None:
    async with Simulator(Options(apps=1, instances=4)) as sim:
        before = await client.hosts(sim, "app1-1")
        change = await sim.scenarios.kill_instances("app1", 3)
        assert len(change.removed) == 3
        await sim.settled()
        after = await client.hosts(sim, "app1-1")
    assert len(after) == 4
    assert len(set(before) & set(after)) == 1


async def test_deaths_that_nobody_notices_stay_listed(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await sim.scenarios.kill_instances("app1", 3, noticed_after=None)
        assert (await client.listed(sim))["app1-1"] == 4
        with pytest.raises(SimulatorError, match="has only 4 healthy instances"):
            await sim.scenarios.kill_instances("app1", 5)


async def test_an_app_is_scaled_in_steps(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        got = await client.control(sim, "scale-steps", app="app1", steps=[40, 2, 0], pause=0)
        removed = [len(change["removed"]) for change in got.json["result"]]
        assert removed == [0, 38, 2]
        assert "app1-1" not in await client.listed(sim)


async def test_every_app_is_upgraded_at_the_same_time(client: Client) -> None:
    async with Simulator(QUIET) as sim:
        await sim.scenarios.upgrade_all()
        assert await client.listed(sim) == {"app1-2": 4, "app2-2": 4, "app3-2": 4}


async def test_instances_that_are_not_graceful_are_killed_when_they_stop(client: Client) -> None:
    async with Simulator(Options(apps=1, instances=1, graceful=False)) as sim:
        [(host, port)] = await client.hosts(sim, "app1-1")
        [server] = sim.fleet.servers.values()
        running = asyncio.create_task(client.url(f"http://{host}:{port}/?delay=60"))
        await until(lambda: server.requests)
        await sim.scale("app1", 0)
        with pytest.raises(aiohttp.ClientError):
            await running


async def test_without_zookeeper_controllers_refuse_then_follow_then_recover(
    client: Client,
) -> None:
    async with Simulator(Options(apps=3, instances=2)) as sim:
        outage = asyncio.create_task(sim.zookeeper_outage(60, scale=0.01))
        await asyncio.sleep(0.1)
        for number in range(3):
            with pytest.raises(aiohttp.ClientError):
                await client.ask(sim, "ping", controller=number)
        await asyncio.sleep(0.3)
        assert {(await client.ask(sim, "ping", controller=n)).status for n in range(3)} == {400}
        await outage
        assert (await client.ask(sim, "ping")).status == 200
        await sim.settled()
        assert await client.listed(sim) == {"app1-1": 2, "app2-1": 2, "app3-1": 2}


async def test_after_an_outage_apps_lose_their_hosts_have_twice_as_many_then_the_usual(
    client: Client,
) -> None:
    async with Simulator(Options(apps=3, instances=2, real=False)) as sim:
        before = {host for n in (1, 2, 3) for host in await client.hosts(sim, f"app{n}-1")}
        await sim.zookeeper_outage(60, scale=0.05)
        sizes: list[tuple[int, int]] = []
        async with asyncio.timeout(10):
            while not (sizes and sizes[-1] == (3, 6) and (3, 12) in sizes):
                listed = await client.listed(sim)
                size = (len(listed), sum(listed.values()))
                if not sizes or size != sizes[-1]:
                    sizes.append(size)
                await asyncio.sleep(0.001)
        after = {host for n in (1, 2, 3) for host in await client.hosts(sim, f"app{n}-1")}
    assert sizes[0] == (0, 0)
    without_hosts = [apps for apps, hosts in sizes if hosts == 0]
    assert without_hosts == sorted(without_hosts)
    assert (3, 0) in sizes
    assert not before & after
