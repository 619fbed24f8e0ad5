"""What a reload by the gateway leaves of the states of servers: an operator's, and its own."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.proxies.haproxy.gateway import Gateway, app, server_name, topology
from tests.traffic import Instance
from tests.waiting import until

import drove_gateway.templates

VHOST, OTHER = "a.example", "b.example"
MAINTENANCE, DRAIN = 1, 8
FROM_FILE = "load-server-state-from-file global"
SLOW_CHECKS = "check inter 60s"


async def columns(gateway: Gateway, instance: Instance, *names: str) -> list[str]:
    lines = (await gateway.haproxy.say(f"show servers state {VHOST}")).splitlines()
    header = lines[1].lstrip("# ").split(" ")
    fields = next(line.split(" ") for line in lines[2:] if f" {server_name(instance)} " in line)
    return [fields[header.index(name)] for name in names]


async def test_what_an_operator_set_is_restored_after_the_gateways_own_reload(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    gateway = make_gateway()
    kept, resting, draining, light, other = await spawn(5)
    first = app(VHOST, [kept, resting, draining, light])
    await gateway.start(topology(first))
    names = [f"{VHOST}/{server_name(each)}" for each in (resting, draining, light)]
    await gateway.haproxy.say(
        f"set server {names[0]} state maint; set server {names[1]} state drain; "
        f"set server {names[2]} weight 0"
    )
    before = len(gateway.reloads)
    await gateway.reach(topology(first, app(OTHER, [other])))
    assert len(gateway.reloads) == before + 1
    assert await columns(gateway, resting, "srv_admin_state") == [str(MAINTENANCE)]
    assert await columns(gateway, draining, "srv_admin_state") == [str(DRAIN)]
    assert await columns(gateway, light, "srv_uweight", "srv_iweight") == ["0", "1"]
    assert await columns(gateway, kept, "srv_admin_state", "srv_uweight") == ["0", "1"]


async def test_a_new_server_is_let_into_traffic_although_a_state_file_has_it_in_drain(
    make_gateway: Callable[..., Gateway],
    spawn: Callable[..., Awaitable[list[Instance]]],
    short_path: Path,
) -> None:
    states, template = short_path / "states", short_path / "own.tmpl"
    source = (Path(drove_gateway.templates.__path__[0]) / "haproxy.tmpl").read_text()
    for place, line in (
        ("global\n", f"server-state-file {states}"),
        ("    mode http\n", FROM_FILE),
    ):
        source = source.replace(place, f"{place}    {line}\n", 1)
    template.write_text(source)
    gateway = make_gateway(template=str(template), haproxy_add_server_attributes_string=SLOW_CHECKS)
    old, new, other = await spawn(3)
    await gateway.start(topology(app(VHOST, [old])))
    gateway.desire(topology(app(VHOST, [old, new])))

    async def waits_for_its_check() -> bool:
        present = server_name(new) in await gateway.servers(VHOST)
        return present and await columns(gateway, new, "srv_admin_state") == [str(DRAIN)]

    await until(waits_for_its_check)
    states.write_text(await gateway.haproxy.say("show servers state") + "\n")
    await gateway.reach(topology(app(VHOST, [old, new]), app(OTHER, [other])))
    assert await columns(gateway, new, "srv_admin_state") == ["0"]


async def test_health_stays_ok_during_the_gateways_own_reload(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    gateway = make_gateway()
    first, other = await spawn(2)
    await gateway.start(topology(app(VHOST, [first])))
    seen: set[tuple[bool, str]] = set()

    async def look() -> None:
        while True:
            seen.add(gateway.updates)
            await asyncio.sleep(0)

    looking = asyncio.create_task(look())
    before = len(gateway.reloads)
    await gateway.reach(topology(app(VHOST, [first]), app(OTHER, [other])))
    looking.cancel()
    assert len(gateway.reloads) == before + 1
    assert seen == {(True, "OK")}


async def test_the_gateways_own_reload_is_not_a_warning(
    make_gateway: Callable[..., Gateway],
    spawn: Callable[..., Awaitable[list[Instance]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    gateway = make_gateway()
    first, other = await spawn(2)
    await gateway.start(topology(app(VHOST, [first])))
    await gateway.reach(topology(app(VHOST, [first]), app(OTHER, [other])))
    written = capsys.readouterr().out
    assert "proxy_reloaded" in written
    assert "[warning" not in written
