"""Bad answers on demand, each as a client meets it."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
from tests.simulator.client import Client

from drove_gateway.simulator import Fault, Options, Simulator
from drove_gateway.simulator.faults import Kind

SIZED = Options(apps=8, instances=2, real=False)


async def endpoints(client: Client, sim: Simulator) -> object:
    return (await client.ask(sim, "endpoints")).data


async def test_a_fault_lasts_as_often_as_it_says(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="status", times=2))
        statuses = [(await client.ask(sim, "ping")).status for _ in range(3)]
    assert statuses == [500, 500, 200]


async def test_a_fault_lasts_until_it_is_cleared(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="html", status=502))
        assert {(await client.ask(sim, "ping")).status for _ in range(5)} == {502}
        sim.clear_faults()
        assert (await client.ask(sim, "ping")).status == 200


async def test_a_fault_meets_its_route_and_controller_only(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="status", route="endpoints", controller=0, status=503))
        assert (await client.ask(sim, "ping")).status == 200
        assert (await client.ask(sim, "endpoints")).status == 503
        await sim.move_leadership(1)
        assert (await client.ask(sim, "endpoints")).status == 200


async def test_500_tells_the_failure_as_drove_does(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="status"))
        got = await client.ask(sim, "endpoints")
    assert got.status == 500
    assert got.json["message"] == "Unexpected Server error"
    assert got.json["data"]["failure"]


async def test_a_proxys_page_is_html(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="html", status=200))
        got = await client.ask(sim, "endpoints")
    assert (got.status, got.headers["Content-Type"]) == (200, "text/html")
    assert got.body.startswith(b"<html>")


async def test_failed_is_200_without_data(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="failed"))
        got = await client.ask(sim, "endpoints")
    assert got.status == 200
    assert set(got.json) == {"status", "message"}


async def test_empty_partial_and_no_hosts(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        good = (await client.ask(sim, "endpoints")).data
        sim.fault(Fault(kind="empty", times=1))
        assert await endpoints(client, sim) == []
        sim.fault(Fault(kind="partial", keep=0.25, times=1))
        assert await endpoints(client, sim) == good[:2]
        sim.fault(Fault(kind="no-hosts", times=1))
        assert await endpoints(client, sim) == [{**app, "hosts": []} for app in good]
        assert await endpoints(client, sim) == good


async def test_hosts_are_corrupted_and_the_rest_stays(client: Client) -> None:
    wrong: dict[Kind, dict[str, Any]] = {
        "zero-ports": {"port": 0},
        "unreadable-hosts": {"host": "no host {here};"},
        "udp": {"portType": "UDP"},
    }
    async with Simulator(SIZED) as sim:
        good = (await client.ask(sim, "endpoints")).data
        for kind, fields in wrong.items():
            sim.fault(Fault(kind=kind, times=1))
            assert await endpoints(client, sim) == [
                {**app, "hosts": [{**host, **fields} for host in app["hosts"]]} for app in good
            ]


async def test_bad_tags_replace_every_value(client: Client) -> None:
    async with Simulator(Options(apps=1, real=False, tags={"a": "b", "c": "d"})) as sim:
        sim.fault(Fault(kind="bad-tags"))
        [app] = (await client.ask(sim, "endpoints")).data
    assert app["tags"] == {"a": "not a\nvalue {", "c": "not a\nvalue {"}


async def test_doubled_listings_name_every_host_twice(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        good = (await client.ask(sim, "endpoints")).data
        sim.fault(Fault(kind="doubled"))
        assert await endpoints(client, sim) == [{**app, "hosts": app["hosts"] * 2} for app in good]


async def test_a_shrinking_listing_loses_its_share_with_each_response(client: Client) -> None:
    async with Simulator(Options(apps=10, instances=20, real=False)) as sim:
        sim.fault(Fault(kind="shrinking", keep=0.9, route="endpoints"))
        sizes = [sum((await client.listed(sim)).values()) for _ in range(4)]
        assert sizes == [180, 162, 145, 131]
        sim.clear_faults()
        assert sum((await client.listed(sim)).values()) == 200


async def test_a_fault_of_endpoints_meets_the_routes_of_single_apps(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="status", status=503, route="endpoints"))
        assert (await client.ask(sim, "endpoints?app=app1")).status == 503
        assert (await client.ask(sim, "endpoints/app/app1")).status == 503


async def test_shuffled_answers_have_the_same_content(client: Client) -> None:
    async with Simulator(Options(apps=30, instances=10, real=False)) as sim:
        good = (await client.ask(sim, "endpoints")).data
        sim.fault(Fault(kind="shuffled"))
        shuffled = (await client.ask(sim, "endpoints")).data
    assert shuffled != good
    shuffled.sort(key=lambda app: [app["appId"] for app in good].index(app["appId"]))
    for app, other in zip(shuffled, good, strict=True):
        app["hosts"].sort(key=other["hosts"].index)
    assert shuffled == good


async def test_wrong_types_are_json_of_another_shape(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="wrong-types"))
        apps = (await client.ask(sim, "endpoints")).data
        summary = (await client.ask(sim, "cluster/events/summary?lastSyncTime=0")).data
    assert len(apps) == 8
    assert apps[0]["vhost"] == 17
    assert apps[2]["hosts"] == "none"
    assert isinstance(summary, list)


async def test_garbage_and_truncated_answers_are_not_json(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        for kind in ("garbage", "truncated"):
            sim.fault(Fault(kind=kind, times=1))
            got = await client.ask(sim, "endpoints")
            assert got.status == 200
            with pytest.raises(ValueError, match=r"Expecting|decode|Unterminated|delimiter"):
                json.loads(got.body)


async def test_a_huge_answer_is_valid(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="huge", size=3_000_000))
        got = await client.ask(sim, "endpoints")
    assert len(got.body) > 3_000_000
    assert len(got.data) == 8


async def test_raw_answers_are_whatever_is_wanted(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="raw", status=200, body='{"status":"SUCCESS"}'))
        got = await client.ask(sim, "endpoints")
    assert (got.status, got.json) == (200, {"status": "SUCCESS"})


async def test_all_controllers_can_look_like_followers(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="follower"))
        assert {(await client.ask(sim, "ping", controller=n)).status for n in range(3)} == {400}


async def test_two_controllers_can_answer_as_the_leader(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="leads", controller=2, route="ping"))
        statuses = [(await client.ask(sim, "ping", controller=n)).status for n in range(3)]
    assert statuses == [200, 400, 200]


async def test_a_cut_answer_ends_within_its_body(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="cut", route="endpoints", times=1))
        with pytest.raises(aiohttp.ClientPayloadError):
            await client.ask(sim, "endpoints")
        assert (await client.ask(sim, "endpoints")).status == 200


async def test_a_reset_connection_gives_no_answer(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="reset"))
        with pytest.raises(aiohttp.ClientOSError):
            await client.ask(sim, "ping", method="POST")


async def test_slow_hanging_and_endless_answers_outlast_a_client(client: Client) -> None:
    limit = aiohttp.ClientTimeout(total=0.2)
    async with Simulator(SIZED) as sim:
        for fault in (
            Fault(kind="slow", delay=60, times=1),
            Fault(kind="drip", interval=60, times=1),
            Fault(kind="endless", times=1),
        ):
            sim.fault(fault)
            with pytest.raises(asyncio.TimeoutError):
                await client.ask(sim, "endpoints", timeout=limit)
        assert (await client.ask(sim, "ping")).status == 200


async def test_a_slow_answer_tells_what_is_true_when_it_comes(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="slow", delay=0.1, times=1))
        asking = asyncio.create_task(client.listed(sim))
        await sim.scale("app1", 5)
        assert (await asking)["app1-1"] == 5


async def test_a_dripping_answer_arrives_in_the_end(client: Client) -> None:
    async with Simulator(SIZED) as sim:
        sim.fault(Fault(kind="drip", interval=0))
        assert (await client.ask(sim, "ping")).data == "pong"
