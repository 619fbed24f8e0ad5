"""What would change in a running HAProxy: by the runtime API's `show` commands only."""

from collections.abc import Callable

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.haproxy.api import runtime_commands as commands
from drove_gateway.proxies.haproxy.api import server_state as state
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.options import Options
from drove_gateway.proxies.haproxy.servers import Servers
from drove_gateway.proxies.haproxy.targets import Targets
from drove_gateway.proxies.installation.preview import Seen
from drove_gateway.proxies.runtime.resolver import Resolver


async def look_at_servers(
    api: RuntimeApi,
    options: Options,
    resolver: Resolver,
    desired: Topology,
    *,
    clock: Callable[[], float],
) -> Seen:
    """Compare HAProxy's servers with `desired`, as a gateway does that has just started."""
    servers = Servers(api, options, Targets(options, resolver), clock=clock)
    await resolver.resolve({host.host for app in desired.apps.values() for host in app.hosts})
    try:
        process = state.process(await api.ask(commands.SHOW_INFO))
        changes = await servers.audit(desired)
    except RuntimeApiError as error:
        return Seen(notes=(f"HAProxy's servers cannot be read: {error}",), complete=False)
    lacking = tuple(f"HAProxy has no backend {backend}" for backend in sorted(servers.lacking))
    notes = [f"HAProxy {process.version} answers, process {process.pid}"]
    notes += [f"server {name} is {how}, and stays so" for name, how in servers.held]
    notes += [f"vhost {vhost}: {why}" for vhost, why in servers.targets.unresolved(desired)]
    return Seen(
        reload=() if options.reload_disabled else lacking,
        steps=tuple(change.step() for change in changes),
        notes=(*notes, *(lacking if options.reload_disabled else ())),
    )
