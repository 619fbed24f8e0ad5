"""A runtime API that hangs, talks nonsense, says no, or is gone, and what the driver does."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from tests.proxies.haproxy.gateway import Gateway, app, server_name, topology
from tests.proxies.haproxy.imitation import Model, Server, serve, serve_raw
from tests.traffic import Instance, Traffic, get
from tests.waiting import until

from drove_gateway.model.health import FaultOfSome

MakeGateway = Callable[..., Gateway]
Spawn = Callable[..., Awaitable[list[Instance]]]


@pytest.mark.parametrize(
    ("reply", "hang", "message"),
    [
        (b"", True, "no reply in time"),
        (b"\n> Name: HAP", True, "no reply in time"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", False, "SSH-2.0-OpenSSH_9.2"),
        (b"\n> Permission denied\n\n> ", False, "Permission denied"),
    ],
    ids=["hangs", "hangs in an answer", "another program", "not an admin"],
)
async def test_an_api_that_is_none_is_reported_and_a_good_one_used(
    make_gateway: MakeGateway, spawn: Spawn, reply: bytes, hang: bool, message: str
) -> None:
    gateway = make_gateway(haproxy_reload_disabled=True, runtime_timeout=0.2)
    old, new = await spawn(2)
    async with serve_raw(gateway.haproxy.socket, reply, hang=hang):
        gateway.begin()
        gateway.desire(topology(app("a.example", [new])))
        await until(lambda: any(message in error for error in gateway.errors))
        health = gateway.driver.health().upstream_updates
        assert not health.healthy
        assert message in health.message
    gateway.haproxy.socket.unlink(missing_ok=True)
    await gateway.installation.write(topology(app("a.example", [old])))
    await gateway.haproxy.start()
    await gateway.gone([old])
    await gateway.settled()
    assert await get(gateway.port, "a.example") == (200, new.name)


async def test_a_command_that_is_refused_is_named_and_the_other_vhosts_are_followed(
    make_gateway: MakeGateway,
) -> None:
    gateway = make_gateway(haproxy_reload_disabled=True)
    model = Model({"a.example": {}, "b.example": {}})

    def answer(command: str) -> str:
        if command.startswith("add server a.example"):
            return "out of something"
        return model.answer(command)

    instances = [Instance(host="10.0.0.1")]
    instances[0].port = 80
    async with serve(gateway.haproxy.socket, answer):
        gateway.begin()
        gateway.desire(topology(app("a.example", instances), app("b.example", instances)))
        await until(lambda: bool(model.backends["b.example"]))
        await until(lambda: bool(gateway.records))
    health = gateway.driver.health().upstream_updates
    assert not health.healthy
    assert isinstance(health, FaultOfSome)
    assert 'a.example: HAProxy replied "out of something" to `add server a.example' in (
        health.message
    )
    failed = dict(gateway.records[0].failed)
    assert list(failed) == ["a.example"]


async def test_an_answer_cut_off_in_the_middle_is_repaired(make_gateway: MakeGateway) -> None:
    gateway = make_gateway(haproxy_reload_disabled=True)
    model = Model({"a.example": {}})
    cut = [True]

    def answer(command: str) -> str:
        if command.endswith("state ready") and cut:
            cut.clear()
            raise ConnectionResetError
        return model.answer(command)

    instances = [Instance(host=f"10.0.0.{n}") for n in range(1, 4)]
    for instance in instances:
        instance.port = 80
    async with serve(gateway.haproxy.socket, answer):
        gateway.begin()
        gateway.desire(topology(app("a.example", instances)))
        await until(lambda: not cut and gateway.is_settled())
    assert {name: instance.admin for name, instance in model.backends["a.example"].items()} == {
        server_name(instance): 0 for instance in instances
    }


async def test_a_server_that_haproxy_keeps_past_its_drain_deadline_is_named_until_it_is_gone(
    make_gateway: MakeGateway,
) -> None:
    gateway = make_gateway(haproxy_reload_disabled=True, drain_timeout_sec=0.1)
    model = Model({"a.example": {"server_10.0.0.1_80": Server("10.0.0.1", 80)}})
    busy = ["Server still has connections attached to it, cannot remove it."]

    def answer(command: str) -> str:
        return busy[0] if busy and command.startswith("del server") else model.answer(command)

    kept = Instance(host="10.0.0.2")
    kept.port = 80
    async with serve(gateway.haproxy.socket, answer):
        gateway.begin()
        gateway.desire(topology(app("a.example", [kept])))
        named = ("a.example/server_10.0.0.1_80",)
        await until(lambda: gateway.driver.health().overdue == named)
        busy.clear()
        await until(lambda: gateway.driver.health().overdue == ())
    assert list(model.backends["a.example"]) == [server_name(kept)]


async def test_a_server_that_cannot_be_deleted_stays_in_maintenance_and_is_reported(
    make_gateway: MakeGateway,
) -> None:
    gateway = make_gateway(haproxy_reload_disabled=True)
    model = Model({"a.example": {"server_10.0.0.1_80": Server("10.0.0.1", 80)}})
    pinned = (
        "This server cannot be removed at runtime due to other configuration elements pointing "
        "to it."
    )

    def answer(command: str) -> str:
        return pinned if command.startswith("del server") else model.answer(command)

    kept = Instance(host="10.0.0.2")
    kept.port = 80
    async with serve(gateway.haproxy.socket, answer):
        gateway.begin()
        gateway.desire(topology(app("a.example", [kept])))
        await until(lambda: "cannot be deleted" in gateway.driver.health().upstream_updates.message)
        assert model.backends["a.example"]["server_10.0.0.1_80"].admin == 1
        assert gateway.driver.health().upstream_updates.healthy


async def test_a_thousand_draining_servers_are_followed_together(
    make_gateway: MakeGateway,
) -> None:
    gateway = make_gateway(haproxy_reload_disabled=True)
    servers = {f"server_10.0.{n // 250}.{n % 250 + 1}_80": n for n in range(1000)}
    model = Model(
        {
            "a.example": {
                name: Server(f"10.0.{n // 250}.{n % 250 + 1}", 80, used=1)
                for name, n in servers.items()
            }
        }
    )
    kept = Instance(host="10.9.9.9")
    kept.port = 80
    async with serve(gateway.haproxy.socket, model.answer):
        gateway.begin()
        await gateway.reach(topology(app("a.example", [kept])))
        assert len(model.backends["a.example"]) == 1001
        for server in model.backends["a.example"].values():
            server.used = 0
        await until(lambda: len(model.backends["a.example"]) == 1)
    # Every look at the connections was one command for all of them.
    assert gateway.metrics.calls["show_servers_conn", True] < 100


async def test_without_its_socket_a_running_haproxy_is_reloaded(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    begun = len(gateway.reloads)
    # HAProxy hands the listening socket on from process to process: a reload brings no new path.
    gateway.haproxy.socket.unlink()
    traffic = Traffic(gateway.port, ["a.example"], clients=2)
    async with traffic.running() as tally:
        gateway.desire(topology(app("a.example", [new])))
        await until(lambda: tally.answers[new.name] > 0)
    assert tally.failures == []
    await until(lambda: len(gateway.reloads) > begun)
    assert "has not answered for" in gateway.reloads[-1]
    assert not gateway.driver.health().upstream_updates.healthy


async def test_the_gateway_can_stop_in_the_middle_of_a_drain(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    slow = asyncio.create_task(get(gateway.port, "a.example", "/slow/1"))
    await until(lambda: old.connections > 0)
    await gateway.reach(topology(app("a.example", [new])))
    await gateway.end()
    successor = make_gateway()
    successor.begin()
    await successor.reach(topology(app("a.example", [new])))
    assert await slow == (200, old.name)
    await gateway.gone([old])
