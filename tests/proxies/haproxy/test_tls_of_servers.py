"""A server whose port changes between HTTP and HTTPS: the running server follows."""

from collections.abc import Awaitable, Callable

import msgspec
from tests.proxies.haproxy.gateway import Gateway, app, server_name, topology
from tests.traffic import Instance, get
from tests.waiting import until

from drove_gateway.model.vocabulary import App, HostGroup

VHOST = "a.example"


def with_port_type(plain: App, port_type: str) -> App:
    hosts = tuple(msgspec.structs.replace(host, port_type=port_type) for host in plain.hosts)
    return msgspec.structs.replace(plain, hosts=hosts, groups={VHOST: HostGroup(hosts, {})})


async def uses_tls(gateway: Gateway, instance: Instance) -> bool:
    lines = (await gateway.haproxy.say(f"show servers state {VHOST}")).splitlines()
    column = lines[1].lstrip("# ").split(" ").index("srv_use_ssl")
    fields = next(line.split(" ") for line in lines[2:] if f" {server_name(instance)} " in line)
    return fields[column] == "1"


async def test_a_port_that_changes_to_https_and_back_gets_another_server_without_a_reload(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    gateway = make_gateway()
    (instance,) = await spawn(1)
    plain = app(VHOST, [instance])
    await gateway.start(topology(plain))
    await get(gateway.port, VHOST)
    started = len(gateway.reloads)
    for port_type in ("https", "http"):
        await gateway.reach(topology(with_port_type(plain, port_type)))
        assert await uses_tls(gateway, instance) is (port_type == "https")
    assert len(gateway.reloads) == started
    assert (await get(gateway.port, VHOST))[0] == 200


async def test_a_server_that_was_added_with_tls_by_another_program_is_found_and_replaced(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    gateway = make_gateway(audit_interval_sec=1)
    (instance,) = await spawn(1)
    await gateway.start(topology(app(VHOST, [instance])))
    server = f"{VHOST}/{server_name(instance)}"
    await gateway.haproxy.say(
        f"set server {server} state maint; del server {server}; add server {server} "
        f"{instance.host}:{instance.port} ssl verify none; set server {server} state ready"
    )
    assert await uses_tls(gateway, instance)

    async def replaced() -> bool:
        return not await uses_tls(gateway, instance)

    await until(replaced)
    await gateway.settled()
    assert (await get(gateway.port, VHOST))[0] == 200
