"""The rendered text decides how servers join backends of HAProxy 3.4, and what is loaded."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from tests.proxies.haproxy.gateway import VHOSTS_TEMPLATE, Gateway, app, server_name, topology
from tests.traffic import Instance, get
from tests.waiting import until

from drove_gateway.proxies.runtime.added_backends import AddedBackends

MakeGateway = Callable[..., Gateway]
Spawn = Callable[..., Awaitable[list[Instance]]]

_OPTIONS = "{{$.HaproxyAddServerAttributesString}}"


def template(path: Path, options: str) -> str:
    """Write a template that gives each server these options."""
    text = VHOSTS_TEMPLATE.read_text()
    assert _OPTIONS in text
    file = path / "options.tmpl"
    file.write_text(text.replace(_OPTIONS, options))
    return str(file)


async def weight(gateway: Gateway, backend: str, instance: Instance) -> int:
    """The weight of a server as HAProxy has it, read past the driver."""
    lines = (await gateway.haproxy.say(f"show servers state {backend}")).splitlines()[2:]
    weights = {line.split(" ")[3]: int(line.split(" ")[7]) for line in lines}
    return weights.get(server_name(instance), -1)


@pytest.mark.parametrize("settings", ["", "check inter 1s"])
async def test_a_server_that_joins_a_backend_has_the_options_of_its_line(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path, settings: str
) -> None:
    gateway = make_newer(
        template=template(tmp_path, "weight 7"), haproxy_add_server_attributes_string=settings
    )
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first, second])))
    assert await weight(gateway, "a.example", second) == 7
    assert {(await get(gateway.port, "a.example"))[1] for _ in range(4)} == {
        first.name,
        second.name,
    }
    await gateway.reach(topology(app("a.example", [second])))
    await gateway.gone([first])
    assert gateway.reloads[begun:] == []


async def test_a_server_whose_line_has_a_check_is_checked_before_it_serves(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    gateway = make_newer(template=template(tmp_path, "check inter 100ms"))
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    await gateway.reach(topology(app("a.example", [first, second])))
    assert gateway.metrics.calls["enable_health", True] == 1
    assert gateway.metrics.calls["set_server_state_drain", True] == 1

    async def serves() -> bool:
        return (await get(gateway.port, "a.example"))[1] == second.name

    await until(serves)


async def test_the_first_server_with_options_of_its_own_is_loaded_and_the_next_join_at_runtime(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    first, second, third = await spawn(3)
    own = f"{{{{if ne .Port {first.port}}}}}weight 7{{{{end}}}}"
    gateway = make_newer(template=template(tmp_path, own))
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first, second])))
    await until(lambda: any("has other options" in why for why in gateway.reloads[begun:]))
    await gateway.settled()
    assert await weight(gateway, "a.example", second) == 7
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first, second, third])))
    await gateway.written()
    assert await weight(gateway, "a.example", third) == 7
    assert gateway.reloads[begun:] == []


async def test_while_a_template_is_refused_servers_join_as_the_last_good_template_has_them(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path, newer_haproxy: Path
) -> None:
    check, bad = tmp_path / "check.sh", tmp_path / "bad"
    check.write_text(f'#!/bin/sh\n[ -e {bad} ] && exit 1\nexec {newer_haproxy} "$@"\n')
    check.chmod(0o755)
    gateway = make_newer(template=template(tmp_path, "weight 7"), haproxy_cmd=str(check))
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    bad.touch()
    template(tmp_path, "weight 9")
    gateway.demand("the template changed")
    await until(lambda: not gateway.driver.health().template.healthy)
    gateway.desire(topology(app("a.example", [first, second])))

    async def serves() -> bool:
        return await weight(gateway, "a.example", second) == 7

    await until(serves)
    bad.unlink()
    gateway.demand("the template changed")
    await gateway.settled()
    assert await weight(gateway, "a.example", second) == 9


async def test_a_vhost_that_a_killed_gateway_had_added_and_nobody_wants_is_removed(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    """It was killed before the file had the vhost, which was destroyed before the next start."""
    gateway = make_newer()
    first, second = await spawn(2)
    desired = topology(app("a.example", [first]))
    await gateway.start(desired)
    await gateway.end()
    server = f"gone.example/{server_name(second)}"
    for command in (
        "add backend gone.example from vhosts",
        f"add server {server} {second.host}:{second.port}",
        f"set server {server} state ready",
        "publish backend gone.example",
    ):
        await gateway.haproxy.say(command)
    assert await get(gateway.port, "gone.example") == (200, second.name)
    await AddedBackends(tmp_path / "added").add(["gone.example"])
    added = AddedBackends(tmp_path / "added")
    added.recall()
    again = make_newer(ports=gateway.ports, added=added)
    again.begin()
    await again.reach(desired)
    assert (await get(gateway.port, "gone.example"))[0] == 404

    async def deleted() -> bool:
        return "gone.example" not in await gateway.haproxy.say("show backend")

    await until(deleted)
    await again.written()
    assert not added.names
    assert again.reloads == []
    await again.end()


async def test_added_backends_are_noted_until_the_file_has_them(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    added = AddedBackends(tmp_path / "added")
    gateway = make_newer(added=added)
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    gateway.desire(topology(app("a.example", [first]), app("b.example", [second])))
    await until(lambda: "b.example" in added.names)
    assert "b.example" not in gateway.haproxy.config.read_text()
    await until(lambda: not added.names)
    assert "b.example" in gateway.haproxy.config.read_text()


async def test_a_line_that_a_template_makes_of_tags_is_loaded_when_the_tags_change(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    template = tmp_path / "tags.tmpl"
    line = '{{with index $app.Tags "status"}}\n    http-request return status {{.}}{{end}}'
    servers = "    {{- range $group.Hosts}}"
    template.write_text(VHOSTS_TEMPLATE.read_text().replace(servers, f"    {line}\n{servers}"))
    gateway = make_newer(template=str(template))
    (first,) = await spawn(1)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first], status="410")))
    assert (await get(gateway.port, "a.example"))[0] == 410
    assert "vhost a.example has other tags" in gateway.reloads[begun:]


async def test_tags_that_a_template_does_not_read_need_no_reload(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer()
    (first,) = await spawn(1)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first], version="2")))
    assert await get(gateway.port, "a.example") == (200, first.name)
    assert gateway.reloads[begun:] == []
