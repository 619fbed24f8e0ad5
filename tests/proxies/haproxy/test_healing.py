"""HAProxy is restarted, reloaded and edited behind the gateway's back, and is repaired."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.proxies.haproxy.gateway import Gateway, app, server_name, topology
from tests.traffic import Instance, get
from tests.waiting import until

from drove_gateway.model.vocabulary import Topology

MakeGateway = Callable[..., Gateway]
Spawn = Callable[..., Awaitable[list[Instance]]]


async def serving(gateway: Gateway, backend: str, instances: list[Instance]) -> None:
    """Wait until exactly `instances` are in traffic in HAProxy, read past the driver."""

    async def as_wanted() -> bool:
        expected = {
            server_name(instance): (instance.host, instance.port, 0) for instance in instances
        }
        try:
            return await gateway.servers(backend) == expected
        except OSError:
            return False

    await until(as_wanted)


async def test_a_restarted_haproxy_gets_the_present_servers(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    config = gateway.haproxy.config.read_text()
    await gateway.reach(topology(app("a.example", [new])))
    await gateway.gone([old])
    await gateway.haproxy.kill()
    # The worst case: it comes back with a file from before the change.
    await until(lambda: gateway.haproxy.config.read_text() != config)
    gateway.haproxy.config.write_text(config)
    await gateway.haproxy.start()
    await serving(gateway, "a.example", [new])
    assert await get(gateway.port, "a.example") == (200, new.name)
    await gateway.settled()


async def test_health_says_so_while_haproxy_is_down(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    await gateway.start(topology(app("a.example", await spawn(1))))
    await gateway.haproxy.kill()
    await until(lambda: not gateway.driver.health().upstream_updates.healthy)
    assert "cannot be reached" in gateway.driver.health().upstream_updates.message
    await gateway.haproxy.start()
    await gateway.settled()


async def test_a_reload_by_somebody_else_loses_nothing(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    config = gateway.haproxy.config.read_text()
    await gateway.reach(topology(app("a.example", [old, new])))
    gateway.haproxy.config.write_text(config)
    await gateway.haproxy.reload()
    await serving(gateway, "a.example", [old, new])


async def test_the_file_follows_runtime_changes_without_a_reload(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first, second])))
    await until(lambda: server_name(second) in gateway.haproxy.config.read_text())
    assert len(gateway.reloads) == begun
    await gateway.end()
    await gateway.haproxy.kill()
    await gateway.haproxy.start()
    await serving(gateway, "a.example", [first, second])


async def test_a_file_edited_manually_is_written_again_at_the_audit(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(audit_interval_sec=1.0)
    await gateway.start(topology(app("a.example", await spawn(1))))
    config = gateway.haproxy.config.read_text()
    gateway.haproxy.config.write_text("# nothing\n")
    await until(lambda: gateway.haproxy.config.read_text() == config)


async def test_servers_changed_manually_are_repaired(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    moved, deleted, third = await spawn(3)
    both = [moved, deleted]
    await gateway.start(topology(app("a.example", both)))
    say = gateway.haproxy.say
    await say(f"set server a.example/{server_name(moved)} addr 127.0.0.7")
    await say(f"set server a.example/{server_name(deleted)} state maint")
    await say(f"del server a.example/{server_name(deleted)}")
    await say(f"add server a.example/{server_name(third)} 127.0.0.1:{third.port}")
    await serving(gateway, "a.example", both)
    await gateway.settled()


async def test_what_an_operator_took_out_of_traffic_stays_out(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    drained, stopped, light, other = await spawn(4)
    all_four = [drained, stopped, light, other]
    await gateway.start(topology(app("a.example", all_four)))
    say = gateway.haproxy.say
    await say(f"set server a.example/{server_name(drained)} state drain")
    await say(f"set server a.example/{server_name(stopped)} state maint")
    await say(f"set server a.example/{server_name(light)} weight 50%")
    await until(lambda: "set by an operator" in gateway.driver.health().upstream_updates.message)
    assert gateway.driver.health().upstream_updates.healthy
    more = await spawn(1)
    await gateway.reach(topology(app("a.example", [*all_four, *more])))
    audits = gateway.metrics.calls["get_servers_state_all_backends", True]
    await until(lambda: gateway.metrics.calls["get_servers_state_all_backends", True] > audits + 1)
    states = await gateway.servers("a.example")
    assert {name: state[2] for name, state in states.items()} == {
        server_name(drained): 8,
        server_name(stopped): 1,
        server_name(light): 0,
        server_name(other): 0,
        server_name(more[0]): 0,
    }
    assert "(initial 1)" in await say(f"get weight a.example/{server_name(light)}")
    assert not (await say(f"get weight a.example/{server_name(light)}")).startswith("1 ")


async def test_a_server_of_the_operators_own_is_left_alone(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    (first,) = await spawn(1)
    await gateway.start(topology(app("a.example", [first])))
    await gateway.haproxy.say("add server a.example/sorry 127.0.0.9:80 backup")
    second = await spawn(1)
    await gateway.reach(topology(app("a.example", second)))
    await gateway.gone([first])
    assert set(await gateway.servers("a.example")) == {"sorry", server_name(second[0])}


async def test_haproxy_may_start_after_the_gateway(make_gateway: MakeGateway, spawn: Spawn) -> None:
    gateway = make_gateway()
    old, new = await spawn(2)
    await gateway.installation.write(topology(app("a.example", [old])))
    gateway.begin()
    gateway.desire(topology(app("a.example", [new])))
    await until(lambda: bool(gateway.errors))
    assert not gateway.driver.health().upstream_updates.healthy
    await gateway.haproxy.start()
    await serving(gateway, "a.example", [new])
    await gateway.settled()


async def test_a_broken_template_does_not_keep_servers_from_traffic(
    make_gateway: MakeGateway, spawn: Spawn, short_path: Path
) -> None:
    template = short_path / "broken.tmpl"
    gateway = make_gateway(haproxy_template=str(template))
    template.write_text((Path(make_gateway().settings.haproxy_template)).read_text())
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    template.write_text("{{ nonsense")
    await gateway.reach(topology(app("a.example", [first, second])))
    await serving(gateway, "a.example", [first, second])
    gateway.demand("the template changed")
    await until(lambda: not gateway.driver.health().template.healthy)
    await gateway.reach(topology(app("a.example", [second])))
    await serving(gateway, "a.example", [second])


async def test_a_changed_template_is_loaded_when_it_is_demanded(
    make_gateway: MakeGateway, spawn: Spawn, short_path: Path
) -> None:
    template = short_path / "changing.tmpl"
    shipped = Path(make_gateway().settings.haproxy_template).read_text()
    template.write_text(shipped)
    gateway = make_gateway(haproxy_template=str(template))
    instances = await spawn(1)
    await gateway.start(topology(app("a.example", instances)))
    begun = len(gateway.reloads)
    template.write_text(shipped.replace("timeout queue 10s", "timeout queue 9s"))
    gateway.demand("the template changed")
    await until(lambda: gateway.reloads[begun:] == ["the template changed"])
    assert "timeout queue 9s" in gateway.haproxy.config.read_text()
    await serving(gateway, "a.example", instances)


async def test_a_gateway_that_starts_anew_takes_over_what_runs(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    first, second, third = await spawn(3)
    await gateway.start(topology(app("a.example", [first, second])))
    await gateway.end()
    successor = make_gateway(ports=gateway.ports)
    successor.begin()
    await successor.reach(topology(app("a.example", [second, third])))
    await gateway.gone([first])
    await serving(gateway, "a.example", [second, third])
    await successor.end()


async def test_a_gateway_that_starts_anew_reloads_nothing_for_the_sake_of_servers(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    """Servers changed since the last reload, before it and while no gateway was there."""
    gateway = make_gateway()
    first, second, third = await spawn(3)
    await gateway.start(topology(app("a.example", [first])))
    await gateway.reach(topology(app("a.example", [first, second])))
    await until(lambda: server_name(second) in gateway.haproxy.config.read_text())
    await gateway.end()
    successor = make_gateway(ports=gateway.ports)
    successor.begin()
    await successor.reach(topology(app("a.example", [second, third])))
    assert successor.reloads == []
    assert server_name(third) in gateway.haproxy.config.read_text()
    await gateway.gone([first])
    await serving(gateway, "a.example", [second, third])
    await successor.reach(topology(app("a.example", [third]), app("b.example", [second])))
    assert successor.reloads == ["vhost b.example added"]
    await successor.end()


async def test_a_gateway_that_starts_anew_reloads_for_what_only_a_reload_brings(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    await gateway.end()
    successor = make_gateway(ports=gateway.ports)
    successor.begin()
    await successor.reach(topology(app("a.example", [first]), app("b.example", [second])))
    assert successor.reloads == [
        "the gateway started",
        "HAProxy cannot change backend b.example at runtime",
    ]
    await serving(gateway, "b.example", [second])
    await successor.end()


async def test_reloads_and_files_can_be_disabled(make_gateway: MakeGateway, spawn: Spawn) -> None:
    gateway = make_gateway(haproxy_reload_disabled=True)
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    config = gateway.haproxy.config.read_text()
    desired = topology(app("a.example", [second]), app("b.example", [first]))
    gateway.desire(desired)
    await serving(gateway, "a.example", [second])
    health = gateway.driver.health()
    assert health.config.message == "Config Reload disabled"
    assert health.template.message == "Templating disabled"
    assert health.upstream_updates.message == "b.example: HAProxy has no backend b.example"
    assert gateway.haproxy.config.read_text() == config
    await gateway.reach(Topology({}, desired.namespaces))
    await gateway.gone([second])


async def test_backends_can_be_read_one_by_one(make_gateway: MakeGateway, spawn: Spawn) -> None:
    gateway = make_gateway(haproxy_disable_large_backend_count_optimisation=True)
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first]), app("b.example", [first])))
    await gateway.reach(topology(app("a.example", [second]), app("b.example", [first, second])))
    await serving(gateway, "b.example", [first, second])


async def test_a_backend_without_dynamic_servers_is_reloaded(
    make_gateway: MakeGateway, spawn: Spawn, short_path: Path
) -> None:
    template = short_path / "static.tmpl"
    gateway = make_gateway(haproxy_template=str(template))
    shipped = Path(make_gateway().settings.haproxy_template).read_text()
    template.write_text(shipped.replace("balance roundrobin", "balance static-rr"))
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first, second])))
    await serving(gateway, "a.example", [first, second])
    (reason,) = gateway.reloads[begun:]
    assert "must use a dynamic load balancing" in reason


async def test_options_that_haproxy_refuses_lead_to_a_reload(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway(haproxy_add_server_attributes_string="resolve-prefer ipv4")
    first, second = await spawn(2)
    await gateway.start(topology(app("a.example", [first])))
    begun = len(gateway.reloads)
    await gateway.reach(topology(app("a.example", [first, second])))
    await serving(gateway, "a.example", [first, second])
    (reason,) = gateway.reloads[begun:]
    assert "resolve-prefer" in reason


class Names:
    """A name server for tests."""

    def __init__(self) -> None:
        self.answers: dict[str, list[str]] = {}

    async def __call__(self, name: str) -> list[str]:
        if name not in self.answers:
            raise OSError(-2, "Name or service not known")
        return self.answers[name]


def named(instance: Instance, name: str) -> Instance:
    """The instance as Drove lists it when executors go by their names."""
    alias = Instance(instance.name, name)
    alias.port = instance.port
    return alias


async def test_servers_follow_their_host_names(make_gateway: MakeGateway, spawn: Spawn) -> None:
    names = Names()
    gateway = make_gateway(lookup=names)
    (first,) = await spawn(1)
    (everywhere,) = await spawn(1, "0.0.0.0")
    await gateway.start(topology(app("a.example", [first])))
    desired = topology(app("a.example", [first, named(everywhere, "node.example")]))
    gateway.desire(desired)
    await until(lambda: not gateway.driver.health().resolver.healthy)
    server = f"server_node.example_{everywhere.port}"
    assert server not in await gateway.servers("a.example")
    names.answers["node.example"] = ["127.0.0.5"]

    async def at(address: str) -> bool:
        state = (await gateway.servers("a.example")).get(server)
        return state == (address, everywhere.port, 0)

    await until(lambda: at("127.0.0.5"))
    names.answers["node.example"] = ["127.0.0.6", "127.0.0.5"]
    del names.answers["node.example"]
    await until(lambda: not gateway.driver.health().resolver.healthy)
    assert await at("127.0.0.5")
    names.answers["node.example"] = ["127.0.0.6"]
    await until(lambda: at("127.0.0.6"))
    await gateway.settled()


async def test_a_name_that_haproxy_could_not_resolve_at_its_start_is_repaired(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    names = Names()
    names.answers["node.invalid"] = ["127.0.0.1"]
    gateway = make_gateway(lookup=names)
    (instance,) = await spawn(1)
    await gateway.start(topology(app("a.example", [named(instance, "node.invalid")])))
    assert await get(gateway.port, "a.example") == (200, instance.name)


async def test_the_last_servers_stay_while_the_new_ones_have_no_address(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    names = Names()
    gateway = make_gateway(lookup=names)
    old, new = await spawn(2)
    await gateway.start(topology(app("a.example", [old])))
    gateway.desire(topology(app("a.example", [named(new, "node.example")])))
    await until(lambda: not gateway.driver.health().resolver.healthy)
    assert await get(gateway.port, "a.example") == (200, old.name)
    names.answers["node.example"] = ["127.0.0.1"]
    await gateway.gone([old])
    assert await get(gateway.port, "a.example") == (200, new.name)


async def test_a_change_does_not_wait_for_the_drain_of_an_earlier_one(
    make_gateway: MakeGateway, spawn: Spawn
) -> None:
    gateway = make_gateway()
    old, new, newer = await spawn(3)
    await gateway.start(topology(app("a.example", [old])))
    slow = asyncio.create_task(get(gateway.port, "a.example", "/slow/1"))
    await until(lambda: old.connections > 0)
    await gateway.reach(topology(app("a.example", [new])))
    await gateway.reach(topology(app("a.example", [newer])))
    assert await get(gateway.port, "a.example") == (200, newer.name)
    assert not slow.done()
    assert await slow == (200, old.name)
