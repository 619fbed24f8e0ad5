"""What a proxy serves, by its runtime API: for a start without memory."""

from collections.abc import Callable, Collection

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Host, Topology
from drove_gateway.proxies.installation.served import ServedHosts, served_topology
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.servers import ObservedServer

SplitName = Callable[[str, Collection[str]], tuple[str, str]]
"""The vhost and the group of a backend's name; the second argument has all names."""


async def served_by_api(
    adapter: Adapter,
    split: SplitName,
    *,
    owned: Collection[str],
    fixed: Collection[str],
    routing_tag: str,
) -> Topology:
    """Return the vhosts and servers that the proxy has; empty if its API cannot be read.

    Servers that the gateway did not name are an operator's, and are left out. Where the API does
    not show who named a server, only the `owned` vhosts count. `fixed` are never a vhost of apps.
    """
    try:
        backends = (await adapter.observe(None)).backends
    except RuntimeApiError:
        return served_topology({})
    served = ServedHosts()
    for name, servers in backends.items():
        if not adapter.abilities.named_by_host and name not in owned:
            continue
        hosts = [_host(server) for server in servers if _counts(server)]
        served.add(*split(name, backends.keys()), hosts)
    return served_topology(served.served, fixed=fixed, routing_tag=routing_tag)


def _counts(server: ObservedServer) -> bool:
    return server.ours and not server.held and bool(server.address and server.port)


def _host(server: ObservedServer) -> Host:
    return Host(server.address, server.port, "http")


def whole_name(name: str, _: Collection[str]) -> tuple[str, str]:
    """The vhost and the group of a backend that is called like its vhost."""
    return name, name
