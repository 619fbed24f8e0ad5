"""What people want to know of an app's servers, with the host that Drove lists for each."""

import msgspec

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.spelling import without_brackets
from drove_gateway.model.vocabulary import App
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.ledger import Ledger
from drove_gateway.proxies.runtime.resolver import Resolver


async def server_states(
    adapter: Adapter, resolver: Resolver, app: App, ledger: Ledger, now: float
) -> tuple[ServerState, ...]:
    """Return the servers of the app's backends as of now. Raises RuntimeApiError.

    Where the proxy does not tell for how long a server has been in its state, it is how long ago
    the gateway changed it.
    """
    backends = adapter.backends(app)
    states = await adapter.states(backends)
    names = {without_brackets(host.host) for hosts in backends.values() for host in hosts}
    addresses = resolver.known(names).addresses
    listed = {
        (backend, adapter.server_name(host, addresses.get(without_brackets(host.host), ""))): (
            f"{host.host}:{host.port}"
        )
        for backend, hosts in backends.items()
        for host in hosts
    }

    def changed(state: ServerState) -> float | None:
        at = ledger.changed(state.backend, state.name)
        return state.changed if state.changed is not None or at is None else now - at

    return tuple(
        msgspec.structs.replace(
            state, listed=listed.get((state.backend, state.name), ""), changed=changed(state)
        )
        for state in states
    )
