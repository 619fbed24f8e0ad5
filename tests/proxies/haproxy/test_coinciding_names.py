"""Two vhosts that need the same backend, with a real HAProxy: no request reaches the wrong app."""

from collections.abc import Awaitable, Callable

from tests.proxies.haproxy.gateway import Gateway
from tests.traffic import Instance, get

from drove_gateway.model.vocabulary import AppEndpoints, Host, Leader, Snapshot
from drove_gateway.proxies.haproxy.options import options
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.namespace_build import parse_rules

HEADER = "X-Request-Env"


def listed(vhost: str, group: str, instance: Instance) -> AppEndpoints:
    host = Host(instance.host, instance.port, "http")
    tags = {"env": group} if group else {}
    return AppEndpoints(f"{vhost}-{group}", f"{vhost}-{group}-1", vhost, tags, (host,))


async def test_what_came_first_keeps_its_traffic_and_the_other_gets_none_of_it(
    make_gateway: Callable[..., Gateway], spawn: Callable[..., Awaitable[list[Instance]]]
) -> None:
    gateway = make_gateway(
        template="haproxy-header-routing.tmpl", haproxy_backend_include_routing_tag_suffix=True
    )
    first, foreign, default = await spawn(3)
    rules = [parse_rules("test", "", "", "env", "", options(gateway.settings).naming)]

    def built(*apps: AppEndpoints, before: TopologyBuild | None = None) -> TopologyBuild:
        return build({"test": Snapshot("test", Leader(), apps)}, rules, before)

    shop, shop_eu = listed("shop", "eu_api", first), listed("shop_eu", "api", foreign)
    found = built(shop)
    await gateway.start(found.topology)
    for apps in ((shop, shop_eu), (shop_eu, shop), (shop_eu, listed("shop_eu", "", default), shop)):
        found = built(*apps, before=found)
        await gateway.reach(found.topology)
        status, body = await get(gateway.port, "shop", headers={HEADER: "eu_api"})
        assert (status, body.split()[0]) == (200, first.name)
        assert found.rejected
    assert (await get(gateway.port, "shop_eu"))[1].split()[0] == default.name
    assert foreign.requests == 0
