"""What clients see of a change: real HAProxy, real instances, real keep-alive traffic."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.proxies.haproxy.gateway import Gateway, app, grouped, server_name, topology
from tests.traffic import Instance, Traffic, get
from tests.waiting import until

MakeGateway = Callable[..., Gateway]
Spawn = Callable[..., Awaitable[list[Instance]]]


async def test_a_new_instance_gets_traffic_without_a_reload(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first, second])))
    answers = {await get(gateway.port, "a.example") for _ in range(4)}
    assert answers == {(200, first.name), (200, second.name)}
    assert len(gateway.reloads) == begun


async def test_every_instance_is_replaced_under_load_and_no_request_fails(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    vhosts = [f"app{n}.example" for n in range(5)]
    now = {vhost: await spawn(3) for vhost in vhosts}
    await gateway.start(topology(*(app(vhost, now[vhost]) for vhost in vhosts)))
    begun = len(gateway.reloads)
    traffic = Traffic(gateway.port, vhosts, clients=16)
    async with traffic.running() as tally:
        await traffic.answered(500)
        for position in range(3):
            old = [now[vhost][position] for vhost in vhosts]
            for vhost in vhosts:
                (now[vhost][position],) = await spawn(1)
            await gateway.reach(topology(*(app(vhost, now[vhost]) for vhost in vhosts)))
            # As Drove does: the old instances are stopped once they are out of the proxy.
            await gateway.gone(old)
            for instance in old:
                await instance.stop()
            await traffic.answered(500)
    assert tally.failures == []
    assert len(gateway.reloads) == begun
    assert {instance.name for instances in now.values() for instance in instances} <= set(
        tally.answers
    )


async def test_all_instances_at_once_are_replaced_under_load(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    old, new = await spawn(3), await spawn(3)
    await gateway.start(topology(app("a.example", old)))
    traffic = Traffic(gateway.port, ["a.example"], clients=8)
    async with traffic.running() as tally:
        await traffic.answered(300)
        await gateway.reach(topology(app("a.example", new)))
        await gateway.gone(old)
        await traffic.answered(300)
    assert tally.failures == []


async def test_a_running_request_finishes_while_its_server_is_removed(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    slow = asyncio.create_task(get(gateway.port, "a.example", "/slow/0.7"))
    await until(lambda: old.connections > 0)
    await gateway.reach(topology(app("a.example", [new])))
    assert not slow.done()
    assert await get(gateway.port, "a.example") == (200, new.name)
    assert server_name(old) in await gateway.servers("a.example")
    await until(lambda: gateway.driver.health().draining == 1)
    assert await slow == (200, old.name)
    await gateway.gone([old])
    await until(lambda: gateway.driver.health().draining == 0)


async def test_a_request_that_outlives_the_drain_deadline_loses_its_server(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(drain_timeout_sec=0.2)
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    slow = asyncio.create_task(get(gateway.port, "a.example", "/slow/2"))
    await until(lambda: old.connections > 0)
    await gateway.reach(topology(app("a.example", [new])))
    await gateway.gone([old])
    assert old.requests == 0
    # HAProxy sends no request twice that a server has received.
    assert (await slow)[0] in {502, 0}
    assert old.requests == 0


async def test_a_tag_gives_a_vhost_a_drain_deadline_of_its_own(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(drain_timeout_sec=0.1, drain_timeout_tag="drain")
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old], drain="20")))
    slow = asyncio.create_task(get(gateway.port, "a.example", "/slow/0.7"))
    await until(lambda: old.connections > 0)
    await gateway.reach(topology(app("a.example", [new], drain="20")))
    assert await slow == (200, old.name)


async def test_a_server_that_comes_back_while_it_drains_serves_again(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    both = await spawn(2)
    await gateway.start(topology(app("a.example", both)))
    slow = [asyncio.create_task(get(gateway.port, "a.example", "/slow/0.6")) for _ in range(2)]
    await until(lambda: all(instance.connections > 0 for instance in both))
    await gateway.reach(topology(app("a.example", both[:1])))
    assert (await gateway.servers("a.example"))[server_name(both[1])][2] != 0
    await gateway.reach(topology(app("a.example", both)))
    assert [(await request)[0] for request in slow] == [200, 200]
    states = await gateway.servers("a.example")
    assert {name: state[2] for name, state in states.items()} == {
        server_name(instance): 0 for instance in both
    }


async def test_five_hundred_servers_are_removed_at_once(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    (kept,) = await spawn(1)
    (everywhere,) = await spawn(1, "0.0.0.0")
    passing = [Instance(host=f"127.0.{n // 250 + 1}.{n % 250 + 1}") for n in range(500)]
    for instance in passing:
        instance.port = everywhere.port
    await gateway.start(topology(app("a.example", [kept])))
    await gateway.reach(topology(app("a.example", [kept, *passing])))
    assert len(await gateway.servers("a.example")) == 501
    traffic = Traffic(gateway.port, ["a.example"], clients=4)
    async with traffic.running() as tally:
        await traffic.answered(600)
        await gateway.reach(topology(app("a.example", [kept])))
        await gateway.gone(passing)
        await traffic.answered(100)
    assert tally.failures == []


async def test_a_new_vhost_reloads_under_load_and_no_request_fails(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    traffic = Traffic(gateway.port, ["a.example"], clients=8)
    async with traffic.running() as tally:
        await traffic.answered(300)
        await gateway.reach(topology(app("a.example", [first]), app("b.example", [second])))
        await traffic.answered(300)
    assert tally.failures == []
    assert gateway.reloads[begun:] == ["vhost b.example added"]
    assert await get(gateway.port, "b.example") == (200, second.name)


async def test_a_request_reaches_the_group_that_its_header_names(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(template="haproxy-header-routing.tmpl")
    live, test, second = await spawn(3)
    await gateway.start(topology(grouped("a.example", {"a.example": [live], "test": [test]})))
    begun = len(gateway.reloads)
    header = {"X-Request-Env": "test"}
    assert await get(gateway.port, "a.example") == (200, live.name)
    assert await get(gateway.port, "a.example", headers=header) == (200, test.name)
    await gateway.reach(
        topology(grouped("a.example", {"a.example": [live], "test": [test, second]}))
    )
    answers = {await get(gateway.port, "a.example", headers=header) for _ in range(4)}
    assert answers == {(200, test.name), (200, second.name)}
    assert await get(gateway.port, "a.example") == (200, live.name)
    assert len(gateway.reloads) == begun
    third = await spawn(1)
    await gateway.reach(
        topology(grouped("a.example", {"a.example": [live], "test": [test], "next": third}))
    )
    assert gateway.reloads[begun:] == ["backend a.example_next added"]
    assert await get(gateway.port, "a.example", headers={"X-Request-Env": "next"}) == (
        200,
        third[0].name,
    )


async def test_an_instance_on_ipv6_serves(make_gateway: MakeGateway, spawn: Spawn) -> None:
    gateway = make_gateway()
    first, second = await spawn(1), await spawn(1, "::1")
    await gateway.start(topology(app("a.example", first)))
    await gateway.reach(topology(app("a.example", second)))
    assert await get(gateway.port, "a.example") == (200, second[0].name)
    await gateway.reach(topology(app("a.example", second), app("b.example", second)))
    assert await get(gateway.port, "b.example") == (200, second[0].name)


async def test_a_checked_server_gets_traffic_after_its_first_check_only(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(haproxy_add_server_attributes_string="check inter 200ms")
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    dead = Instance(host="127.0.0.9")
    dead.port = new.port
    traffic = Traffic(gateway.port, ["a.example"], clients=4)
    async with traffic.running() as tally:
        await gateway.reach(topology(app("a.example", [old, new, dead])))
        await until(lambda: tally.answers[new.name] > 0)
        await gateway.settled()

        async def dead_is_down() -> bool:
            lines = (await gateway.haproxy.say("show servers state a.example")).splitlines()
            (found,) = [line.split(" ") for line in lines if server_name(dead) in line]
            return found[5:7] == ["0", "0"]

        await until(dead_is_down)
    assert tally.failures == []


async def test_a_gateway_that_stops_leaves_no_server_waiting_for_its_check(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(haproxy_add_server_attributes_string="check inter 60s")
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    gateway.desire(topology(app("a.example", [old, new])))

    async def state() -> int | None:
        return (await gateway.servers("a.example")).get(server_name(new), (None, None, None))[2]

    async def probing() -> bool:
        return await state() == 8

    await until(probing)
    await gateway.end()
    assert await state() == 0


async def test_the_last_old_server_stays_until_a_new_one_is_checked(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(haproxy_add_server_attributes_string="check inter 300ms")
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    traffic = Traffic(gateway.port, ["a.example"], clients=4)
    async with traffic.running() as tally:
        gateway.desire(topology(app("a.example", [new])))
        await gateway.gone([old])
        await traffic.answered(50)
    assert tally.failures == []
    assert tally.answers[new.name] > 0
