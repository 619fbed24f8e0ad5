"""Vhosts and groups come and go in HAProxy 3.4 without a reload, under traffic."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import pytest
from tests.proxies.haproxy.gateway import VHOSTS_TEMPLATE, Gateway, app, grouped, topology
from tests.traffic import Instance, Traffic, get
from tests.waiting import until

from drove_gateway.model.vocabulary import Leader, Namespace, Topology

MakeGateway = Callable[..., Gateway]
Spawn = Callable[..., Awaitable[list[Instance]]]


async def backends(gateway: Gateway) -> set[str]:
    """The vhosts' backends in HAProxy, read past the driver."""
    lines = (await gateway.haproxy.say("show backend")).splitlines()[1:]
    return {line for line in lines if not line.startswith("drove:")}


async def only(gateway: Gateway, names: set[str]) -> None:
    """Wait until HAProxy has exactly these backends."""

    async def as_wanted() -> bool:
        return await backends(gateway) == names

    await until(as_wanted)


async def test_a_new_vhost_serves_without_a_reload(make_newer: MakeGateway, spawn: Spawn) -> None:
    gateway = make_newer()
    first, second, third = await spawn(3)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first]), app("b.example", [second, third])))
    answers = {(await get(gateway.port, "b.example"))[1] for _ in range(4)}
    assert answers == {second.name, third.name}
    assert gateway.reloads[begun:] == []
    steps = [(step.action, step.subject) for step in gateway.records[-1].steps]
    assert ("add backend", "b.example") in steps
    assert ("publish backend", "b.example") in steps


async def test_the_file_on_disk_has_the_new_vhost(make_newer: MakeGateway, spawn: Spawn) -> None:
    gateway = make_newer()
    first, second = await spawn(2)
    both = topology(app("a.example", [first]), app("b.example", [second]))
    await gateway.start(topology(app("a.example", [first])))
    await gateway.reach(both)
    await gateway.written()
    await gateway.haproxy.reload()
    assert await get(gateway.port, "b.example") == (200, second.name)
    await gateway.settled()
    assert await backends(gateway) == {"a.example", "b.example"}


async def test_a_vhost_that_the_check_refuses_leaves_traffic_again(
    make_newer: MakeGateway, spawn: Spawn, newer_haproxy: Path, short_path: Path
) -> None:
    """The runtime API took it; the file, which is checked afterwards, cannot have it."""
    check = short_path / "check.sh"
    check.write_text(
        "#!/bin/sh\n"
        'for word in "$@"; do [ -f "$word" ] && file=$word; done\n'
        'if line=$(grep -n "backend bad.example" "$file"); then\n'
        '    echo "[ALERT] (1) : config : [$file:${line%%:*}] : bad.example is refused"; exit 1\n'
        "fi\n"
        f'exec {newer_haproxy} "$@"\n'
    )
    check.chmod(0o755)
    gateway = make_newer(haproxy_cmd=str(check))
    first, second, third = await spawn(3)
    good = app("a.example", [first])
    await gateway.start(topology(good))
    begun = len(gateway.reloads)
    gateway.desire(topology(good, app("bad.example", [second]), app("c.example", [third])))
    await until(lambda: "bad.example" in gateway.driver.health().config.message)
    await only(gateway, {"a.example", "c.example"})
    assert await get(gateway.port, "c.example") == (200, third.name)
    assert (await get(gateway.port, "bad.example"))[0] == 404
    await until(lambda: "backend c.example" in gateway.haproxy.config.read_text())
    assert "backend bad.example" not in gateway.haproxy.config.read_text()
    assert gateway.reloads[begun:] == []


async def test_a_vhost_that_left_is_hidden_and_deleted_without_a_reload(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer()
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first]), app("b.example", [second])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first])))
    assert (await get(gateway.port, "b.example"))[0] == 404
    await only(gateway, {"a.example"})
    assert gateway.reloads[begun:] == []


async def test_a_vhost_that_left_finishes_its_requests(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer(drain_timeout_sec=10.0)
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first]), app("b.example", [second])))
    slow = asyncio.create_task(get(gateway.port, "b.example", "/slow/0.6"))
    await until(lambda: second.connections > 0)
    await gateway.reach(topology(app("a.example", [first])))
    assert (await get(gateway.port, "b.example"))[0] == 404
    assert await slow == (200, second.name)
    await only(gateway, {"a.example"})


async def test_a_vhost_that_returns_while_it_drains_serves_again(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer(drain_timeout_sec=20.0)
    first, second = await spawn(2)
    both = topology(app("a.example", [first]), app("b.example", [second]))
    await gateway.start(both)
    begun = len(gateway.reloads)
    slow = asyncio.create_task(get(gateway.port, "b.example", "/slow/1.5"))
    await until(lambda: second.connections > 0)
    await gateway.reach(topology(app("a.example", [first])))
    await gateway.reach(both)
    assert await get(gateway.port, "b.example") == (200, second.name)
    assert await slow == (200, second.name)
    assert await get(gateway.port, "b.example") == (200, second.name)
    assert gateway.reloads[begun:] == []


async def test_a_removal_is_finished_by_the_next_run_of_the_gateway(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    first, second = await spawn(2)
    gateway = make_newer(drain_timeout_sec=30.0)
    first_only = topology(app("a.example", [first]))
    await gateway.start(topology(app("a.example", [first]), app("b.example", [second])))
    slow = asyncio.create_task(get(gateway.port, "b.example", "/slow/1"))
    await until(lambda: second.connections > 0)
    await gateway.reach(first_only)
    await gateway.end()
    assert await backends(gateway) == {"a.example", "b.example"}
    again = make_newer(drain_timeout_sec=5.0, ports=gateway.ports)
    again.begin()
    await again.reach(first_only)
    await only(again, {"a.example"})
    assert again.reloads == []
    assert (await slow)[0] == 200
    await again.end()


async def test_a_backend_that_others_added_is_named_and_stays(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer()
    (first,) = await spawn(1)
    await gateway.start(topology(app("a.example", [first])))
    await gateway.haproxy.say("add backend other.example from vhosts")
    await gateway.haproxy.say(f"add server other.example/mine 127.0.0.1:{first.port}")
    note = "backend other.example is not in the configuration"
    await until(lambda: note in gateway.updates[1])
    assert gateway.updates[0]
    await gateway.reach(topology(app("a.example", [first]), app("b.example", [first])))
    assert await backends(gateway) == {"a.example", "b.example", "other.example"}


async def test_an_empty_backend_of_an_earlier_run_does_not_leak(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    """The gateway was killed after `add backend`."""
    gateway = make_newer()
    (first,) = await spawn(1)
    desired = topology(app("a.example", [first]))
    await gateway.start(desired)
    await gateway.end()
    await gateway.haproxy.say("add backend gone.example from vhosts")
    again = make_newer(ports=gateway.ports)
    again.begin()
    await again.reach(desired)
    await only(again, {"a.example"})
    await again.end()


async def test_backends_of_the_operators_own_file_stay(
    make_newer: MakeGateway, spawn: Spawn, short_path: Path
) -> None:
    """They serve without servers, and the gateway's text does not have them."""
    other = short_path / "operator.cfg"
    other.write_text(
        "defaults own\n    mode http\n    timeout connect 2s\n    timeout client 9s\n"
        "    timeout server 9s\n"
        "backend static.example from own\n    http-request return status 418\n"
    )
    gateway = make_newer()
    gateway.haproxy.others = [other]
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    await gateway.reach(topology(app("a.example", [first]), app("b.example", [second])))
    await gateway.reach(topology(app("a.example", [first])))
    await only(gateway, {"a.example", "static.example"})
    assert (await gateway.haproxy.say("show stat static.example 2 -1")).count("UNPUB") == 0


async def test_a_vhost_that_is_destroyed_and_deployed_in_another_form_is_served_in_that_form(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    """Its backend may still drain, with the defaults section that it had."""
    text = VHOSTS_TEMPLATE.read_text()
    closed = "defaults closed from vhosts\n    http-request return status 410\n\n"
    text = text.replace("frontend drove:clients", f"{closed}frontend drove:clients")
    form = '{{if eq (index $app.Tags "form") "closed"}}closed{{else}}vhosts{{end}}'
    text = text.replace("_{{$name}}{{end}} from vhosts", "_{{$name}}{{end}} from " + form)
    template = tmp_path / "forms.tmpl"
    template.write_text(text)
    gateway = make_newer(template=str(template), drain_timeout_sec=20.0)
    first, second = await spawn(2)
    kept = app("a.example", [first])
    await gateway.start(topology(kept, app("b.example", [second])))
    running = asyncio.create_task(get(gateway.port, "b.example", "/slow/1.5"))
    await until(lambda: second.connections > 0)
    await gateway.reach(topology(kept))
    await gateway.reach(topology(kept, app("b.example", [second], form="closed")))
    assert (await get(gateway.port, "b.example"))[0] == 410
    assert (await running)[0] == 200


async def test_groups_come_and_go_without_a_reload(make_newer: MakeGateway, spawn: Spawn) -> None:
    gateway = make_newer(namespaces=[_tagged()])
    plain, blue = await spawn(2)
    without = topology(grouped("a.example", {"a.example": [plain]}))
    await gateway.start(without)
    begun = len(gateway.reloads)
    await gateway.reach(topology(grouped("a.example", {"a.example": [plain], "blue": [blue]})))
    header = {"X-Group": "blue"}
    assert await get(gateway.port, "a.example", headers=header) == (200, blue.name)
    await gateway.reach(without)
    assert await get(gateway.port, "a.example", headers=header) == (200, plain.name)
    await only(gateway, {"a.example_a.example"})
    assert gateway.reloads[begun:] == []


async def test_the_server_of_a_leaders_vhost_moves_without_a_reload(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer()
    web, old, new = await spawn(3)
    await gateway.start(led(old, web))
    assert await get(gateway.port, "drove.example") == (200, old.name)
    begun = len(gateway.reloads)
    await gateway.reach(led(new, web))
    assert await get(gateway.port, "drove.example") == (200, new.name)
    assert gateway.reloads[begun:] == []


async def test_a_template_of_another_shape_reloads_and_names_the_first_line(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path
) -> None:
    template = tmp_path / "other.tmpl"
    shape = "{{$app.Vhost}}\n"
    text = VHOSTS_TEMPLATE.read_text().replace(
        "    {{- range $group.Hosts}}",
        "    http-request set-header Host {{$app.Vhost}}\n    {{- range $group.Hosts}}",
    )
    assert shape in text
    template.write_text(text)
    gateway = make_newer(template=str(template))
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first]), app("b.example", [second])))
    assert await get(gateway.port, "b.example") == (200, second.name)
    assert "`backend b.example from vhosts`" in gateway.reloads[begun:]
    assert "vhost b.example added" in gateway.reloads[begun:]


async def test_a_restarted_haproxy_with_an_older_file_gets_the_present_backends(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer()
    first, second, third = await spawn(3)
    await gateway.start(topology(app("a.example", [first]), app("c.example", [third])))
    older = gateway.haproxy.config.read_text()
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first]), app("b.example", [second])))
    await gateway.haproxy.kill()
    gateway.haproxy.config.write_text(older)
    await gateway.haproxy.start()
    await only(gateway, {"a.example", "b.example"})
    await gateway.settled()
    assert await get(gateway.port, "b.example") == (200, second.name)
    assert gateway.reloads[begun:] == []


@pytest.mark.parametrize("older", [False, True], ids=["the same file", "an older file"])
async def test_after_a_restart_by_others_a_template_without_a_mark_is_loaded_anew(
    make_newer: MakeGateway, spawn: Spawn, tmp_path: Path, older: bool
) -> None:
    """Such a template cannot say what the other process loaded."""
    template = tmp_path / "markless.tmpl"
    template.write_text(
        VHOSTS_TEMPLATE.read_text().replace("drove-gateway: generation", "generation")
    )
    gateway = make_newer(template=str(template))
    first, second, third = await spawn(3)
    await gateway.start(topology(app("a.example", [first])))
    earlier = gateway.haproxy.config.read_text()
    await gateway.reach(topology(app("a.example", [first]), app("b.example", [second])))
    await gateway.written()
    await gateway.haproxy.kill()
    if older:
        gateway.haproxy.config.write_text(earlier)
    await gateway.haproxy.start()
    await only(gateway, {"a.example", "b.example"})
    await until(lambda: any("it is not known" in reason for reason in gateway.reloads))
    begun = len(gateway.reloads)
    both = [app("b.example", [second]), app("c.example", [third])]
    await gateway.reach(topology(*both))
    assert await get(gateway.port, "c.example") == (200, third.name)
    await only(gateway, {"b.example", "c.example"})
    assert gateway.reloads[begun:] == []


async def test_churn_under_traffic_fails_no_request_and_leaks_no_backend(
    make_newer: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_newer()
    steady, *others = await spawn(9)
    kept = app("steady.example", [steady])
    await gateway.start(topology(kept))
    begun = len(gateway.reloads)
    traffic = Traffic(gateway.port, ["steady.example"], clients=8, pause=0.002)
    async with traffic.running() as tally:
        for turn in range(40):
            present = [
                app(f"v{n}.example", [instance])
                for n, instance in enumerate(others)
                if (turn * 3 + n) % 8 < 4
            ]
            await gateway.reach(topology(kept, *present))
            for each in present:
                assert (await get(gateway.port, each.vhost))[0] == 200
    assert tally.failures == []
    assert tally.answers[steady.name] > 500
    assert gateway.reloads[begun:] == []
    await gateway.reach(topology(kept))
    await only(gateway, {"steady.example"})


def led(leader: Instance, web: Instance) -> Topology:
    """A topology whose namespace has a vhost for its leader."""
    endpoint = f"http://{leader.host}:{leader.port}"
    namespace = Namespace("drove.example", Leader(endpoint, leader.host, leader.port), "")
    return Topology({"a.example": app("a.example", [web])}, {"test": namespace})


def _tagged() -> Mapping[str, object]:
    return {"name": "test", "drove": ["http://127.0.0.1:1"], "routing_tag": "env"}


@pytest.mark.parametrize("template", ["haproxy.tmpl", "haproxy-header-routing.tmpl"])
async def test_the_shipped_templates_need_no_reload_for_vhosts(
    make_newer: MakeGateway, spawn: Spawn, template: str
) -> None:
    gateway = make_newer(template=template)
    first, second = await spawn(2)
    first_only = topology(app("a.example", [first]))
    await gateway.start(first_only)
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first]), app("b.example", [second])))
    assert await get(gateway.port, "b.example") == (200, second.name)
    await gateway.reach(first_only)
    assert (await get(gateway.port, "b.example"))[0] == 404
    assert gateway.reloads[begun:] == []
