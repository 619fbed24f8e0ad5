"""What a proxy serves, read from its runtime API."""

from collections.abc import Mapping
from typing import Any

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import EMPTY, Host
from drove_gateway.proxies.runtime.adapter import Abilities
from drove_gateway.proxies.runtime.served import served_by_api, whole_name
from drove_gateway.proxies.runtime.servers import ObservedBackends, ObservedServer


class Api:
    """An adapter that only shows these servers; it fails if there are none."""

    def __init__(self, servers: Mapping[str, tuple[ObservedServer, ...]], *, named: bool) -> None:
        self.abilities = Abilities(named_by_host=named)
        self._servers = servers

    async def observe(self, backends: None) -> ObservedBackends:
        assert backends is None
        if not self._servers:
            raise RuntimeApiError("refused")
        return ObservedBackends(self._servers)


async def read(api: Any, owned: tuple[str, ...] = ()) -> dict[str, tuple[Host, ...]]:
    found = await served_by_api(
        api, whole_name, owned=owned, fixed=("drove.local",), routing_tag=""
    )
    return {vhost: app.hosts for vhost, app in found.apps.items()}


WEB = ObservedServer("server_10.0.0.1_80", "10.0.0.1", 80)


async def test_servers_of_the_gateway_are_read() -> None:
    operators = ObservedServer("static", "10.0.0.9", 80, ours=False)
    leaving = ObservedServer("server_10.0.0.2_80", "10.0.0.2", 80, held="drain")
    servers = {"web.local": (WEB, operators, leaving), "drove.local": (WEB,), "none.local": ()}
    assert await read(Api(servers, named=True)) == {"web.local": (Host("10.0.0.1", 80, "http"),)}


async def test_where_servers_do_not_show_whose_they_are_only_owned_vhosts_count() -> None:
    servers = {"web.local": (WEB,), "grafana": (WEB,)}
    assert list(await read(Api(servers, named=False), ("web.local",))) == ["web.local"]


async def test_an_api_that_fails_serves_nothing() -> None:
    api: Any = Api({}, named=True)
    assert await served_by_api(api, whole_name, owned=(), fixed=(), routing_tag="") == EMPTY
