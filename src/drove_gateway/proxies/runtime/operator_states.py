"""What an operator set on servers, so that a reload by the gateway does not undo it. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.ledger import Entry, Ledger
from drove_gateway.proxies.runtime.servers import Action, Change, ObservedServer

_REASON = "an operator had set this before the reload"


def operator_states(
    seen: Mapping[str, Sequence[ObservedServer]],
    ledger: Callable[[str], Mapping[str, Entry]],
) -> Iterator[Change]:
    """Yield what restores the drains, maintenances and weights of the servers `seen` that are not
    the gateway's own doing, which is what the `ledger` has of a backend."""
    for backend, servers in seen.items():
        for server in servers:
            # Most servers are as they were added: decide quickly for them.
            if not server.held and server.weight is None:
                continue
            if server.name not in ledger(backend):
                yield Change(
                    Action.RESTORE,
                    backend,
                    server.name,
                    _REASON,
                    held=server.held,
                    weight=server.weight,
                )


def held_servers(
    topology: Topology,
    adapter: Adapter,
    seen: Mapping[str, Sequence[ObservedServer]],
    ledger: Ledger,
) -> list[tuple[str, str]]:
    """Return the servers of `topology`, as `backend/server`, that an operator took out of traffic,
    each with how."""
    return [
        (f"{backend}/{server.name}", f"in {server.held}")
        for app in topology.apps.values()
        for backend in adapter.backends(app)
        for server in seen.get(backend, ())
        if server.held and server.ours and server.name not in ledger.of(backend)
    ]
