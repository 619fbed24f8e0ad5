"""Apps and instances over time: who is listed, who answers, and when."""

import asyncio
import time

import aiohttp
import pytest
from tests.simulator.client import Client, until

from drove_gateway.simulator import Options, Simulator, SimulatorError


async def answers(client: Client, host: str, port: int) -> bool:
    try:
        return (await client.url(f"http://{host}:{port}/")).status == 200
    except aiohttp.ClientError:
        return False


async def test_a_deployed_app_is_listed_and_its_instances_answer(client: Client) -> None:
    async with Simulator() as sim:
        change = await sim.deploy("web", instances=3)
        assert len(change.added) == 3
        assert change.app_id == "web-1"
        hosts = await client.hosts(sim, "web-1")
        assert len({host for host, _ in hosts}) == 3
        received = [(await client.url(f"http://{host}:{port}/any")).json for host, port in hosts]
        assert [(answer["app"], answer["appId"]) for answer in received] == [("web", "web-1")] * 3
        assert [(answer["host"], answer["port"]) for answer in received] == hosts
        assert {answer["instanceId"] for answer in received} == set(change.added)


async def test_a_change_is_visible_when_the_call_returns(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        before = time.monotonic()
        change = await sim.deploy("web", instances=2)
        assert before <= change.visible_at <= time.monotonic()
        assert await client.listed(sim) == {"web-1": 2}
        change = await sim.scale("web", 1)
        assert len(change.removed) == 1
        assert await client.listed(sim) == {"web-1": 1}


async def test_an_instance_is_listed_only_when_healthy(client: Client) -> None:
    async with Simulator(Options(real=False, healthy_after=0.05)) as sim:
        deploying = asyncio.create_task(sim.deploy("web", instances=1))
        await until(lambda: sim.cluster.apps and sim.app("web").instances)
        assert await client.listed(sim) == {"web-1": 0}
        [instance] = (await client.ask(sim, "applications/web-1/instances")).data
        assert instance["state"] == "STARTING"
        await deploying
        assert await client.listed(sim) == {"web-1": 1}


async def test_a_host_leaves_the_list_before_it_is_killed(client: Client) -> None:
    async with Simulator(Options(wait_before_kill=0.2)) as sim:
        await sim.deploy("web", instances=1)
        [(host, port)] = await client.hosts(sim, "web-1")
        await sim.scale("web", 0)
        assert await client.listed(sim) == {}
        assert await answers(client, host, port)
        await sim.settled()
        assert not await answers(client, host, port)


async def test_an_instance_that_is_needed_lives_on(client: Client) -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=1)
        [(host, port)] = await client.hosts(sim, "web-1")
        needed = asyncio.Event()
        needed.set()
        sim.fleet.lives_on = lambda _: needed.is_set()
        await sim.scale("web", 0)
        assert await client.listed(sim) == {}
        assert await answers(client, host, port)
        needed.clear()
        await sim.settled()
        assert not await answers(client, host, port)


async def test_a_stopped_instance_finishes_its_requests(client: Client) -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=1)
        [(host, port)] = await client.hosts(sim, "web-1")
        [server] = sim.fleet.servers.values()
        running = asyncio.create_task(client.url(f"http://{host}:{port}/?delay=0.2"))
        await until(lambda: server.requests)
        await sim.scale("web", 0)
        got = await running
        assert got.status == 200
        assert got.headers["Connection"] == "close"
        await sim.settled()
        assert not await answers(client, host, port)


async def test_a_stopped_instance_closes_idle_connections() -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=1)
        [server] = sim.fleet.servers.values()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: web\r\n\r\n")
        await reader.readuntil(b"}\n")
        await sim.scale("web", 0)
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        await writer.wait_closed()


async def test_versions_are_numbered_past_those_that_were_given(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        for version in ("1", "", "blue", ""):
            await sim.deploy("web", version=version)
        assert list(await client.listed(sim)) == ["web-1", "web-2", "web-3", "web-blue"]
        await sim.remove_app("web-3")
        assert (await sim.deploy("web")).app_id == "web-4"


async def test_leaving_the_simulator_ends_requests_that_still_run(client: Client) -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=2)
        [(host, port), _] = await client.hosts(sim, "web-1")
        running = asyncio.create_task(client.url(f"http://{host}:{port}/?delay=60"))
        servers = list(sim.fleet.servers.values())
        await until(lambda: any(server.requests for server in servers))
        await sim.scale("web", 0)
    with pytest.raises(aiohttp.ClientError):
        await running


async def test_a_killed_instance_resets_its_connections() -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=1)
        [server] = sim.fleet.servers.values()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET /?delay=60 HTTP/1.1\r\nHost: web\r\n\r\n")
        await until(lambda: server.requests)
        await sim.kill_instance(app="web")
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_killed_instance_is_replaced(client: Client) -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=2)
        change = await sim.kill_instance(app="web")
        assert len(change.removed) == 1
        await sim.settled()
        assert await client.listed(sim) == {"web-1": 2}
        for host, port in await client.hosts(sim, "web-1"):
            assert await answers(client, host, port)
        old = (await client.ask(sim, "applications/web-1/instances/old")).data
        assert [each["instanceId"] for each in old] == list(change.removed)


async def test_a_death_that_nobody_notices_stays_listed(client: Client) -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=1)
        [(host, port)] = await client.hosts(sim, "web-1")
        await sim.kill_instance(app="web", noticed_after=None)
        assert await client.hosts(sim, "web-1") == [(host, port)]
        assert not await answers(client, host, port)


async def test_nothing_is_replaced_in_maintenance_mode(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=2)
        sim.maintenance(True)
        await sim.kill_instance(app="web")
        await sim.settled()
        assert await client.listed(sim) == {"web-1": 1}


async def test_a_dead_executor_is_listed_until_reported(client: Client) -> None:
    async with Simulator() as sim:
        await sim.deploy("web", instances=3)
        hosts = await client.hosts(sim, "web-1")
        await sim.kill_executor("127.0.0.2")
        assert await client.hosts(sim, "web-1") == hosts
        reachable = [await answers(client, host, port) for host, port in hosts]
        assert reachable == [host != "127.0.0.2" for host, _ in hosts]
        await sim.report_executor_lost("127.0.0.2")
        await sim.settled()
        now = await client.hosts(sim, "web-1")
        assert len(now) == 3
        assert "127.0.0.2" not in {host for host, _ in now}


async def test_a_dead_executor_is_reported_by_itself_when_asked(client: Client) -> None:
    async with Simulator(Options(real=False, executors=("10.0.0.1", "10.0.0.2"))) as sim:
        await sim.deploy("web", instances=2)
        await sim.kill_executor("10.0.0.1", lost_after=0.01)
        await sim.settled()
        assert {host for host, _ in await client.hosts(sim, "web-1")} == {"10.0.0.2"}


async def test_apps_wait_for_a_new_executor_when_none_is_left(client: Client) -> None:
    async with Simulator(Options(real=False, executors=("10.0.0.1",))) as sim:
        await sim.deploy("web", instances=2)
        await sim.report_executor_lost("10.0.0.1")
        await sim.settled()
        assert await client.listed(sim) == {"web-1": 0}
        with pytest.raises(SimulatorError, match="no executor is alive"):
            await sim.scale("web", 3)
        sim.add_executor("10.0.0.2")
        await sim.scale("web", 2)
        assert {host for host, _ in await client.hosts(sim, "web-1")} == {"10.0.0.2"}


async def test_replacing_starts_the_new_before_it_stops_the_old(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", instances=3)
        before = await client.hosts(sim, "web-1")
        change = await sim.replace_instances("web")
        after = await client.hosts(sim, "web-1")
        assert len(change.added) == len(change.removed) == 3
        assert not set(before) & set(after)


async def test_an_upgrade_brings_the_new_version_and_suspends_the_old(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web", vhost="w.local", instances=3)
        change = await sim.upgrade("web", tags={"v": "2"})
        assert (change.app_id, len(change.added), len(change.removed)) == ("web-2", 3, 3)
        [app] = (await client.ask(sim, "endpoints")).data
        assert (app["vhost"], app["tags"]) == ("w.local", {"v": "2"})
        assert set((await client.ask(sim, "applications")).data) == {"web-1", "web-2"}


async def test_a_removed_app_is_unknown(client: Client) -> None:
    async with Simulator(Options(real=False)) as sim:
        await sim.deploy("web")
        await sim.remove_app("web")
        assert await client.listed(sim) == {}
        assert (await client.ask(sim, "applications")).data == {}
        with pytest.raises(SimulatorError, match="no app 'web'; there are: none"):
            await sim.scale("web", 1)


async def test_operations_on_one_app_take_turns(client: Client) -> None:
    async with Simulator(Options(real=False, healthy_after=0.01)) as sim:
        await sim.deploy("web", instances=1)
        await asyncio.gather(sim.scale("web", 5), sim.replace_instances("web"), sim.scale("web", 2))
        assert await client.listed(sim) == {"web-1": 2}


async def test_what_cannot_be_done_is_reported() -> None:
    async with Simulator(Options(apps=1, executors=("192.0.2.1",), real=False)) as sim:
        with pytest.raises(SimulatorError, match="'app1-1' exists"):
            await sim.deploy("app1", version="1")
        with pytest.raises(SimulatorError, match="give 0 or more"):
            await sim.scale("app1", -1)
        with pytest.raises(SimulatorError, match=r"there are: 192\.0\.2\.1"):
            await sim.kill_executor("10.9.9.9")
        with pytest.raises(SimulatorError, match="no instance 'AI-x'"):
            await sim.kill_instance("AI-x")
        with pytest.raises(SimulatorError, match="addresses of this machine"):
            await sim.deploy("real", real=True)
