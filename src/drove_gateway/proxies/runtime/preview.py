"""What would change in a running proxy, by reading it only."""

from collections.abc import Callable

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.preview import Observation
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.desired import host_names
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules, desired_servers


async def preview_servers(
    adapter: Adapter,
    rules: RuntimeRules,
    resolver: Resolver,
    desired: Topology,
    *,
    reloads: bool,
    clock: Callable[[], float],
) -> Observation:
    """Compare the proxy's servers with `desired`, as a gateway does that has just started.

    With `reloads`, a backend that is not there comes with a reload; without, its servers are
    added where an empty backend looks as if it were missing.
    """
    servers = desired_servers(rules, adapter, resolver, reloads=reloads)
    engine = Engine(adapter, servers, resolver, clock=clock)
    engine.fills_missing = adapter.abilities.hides_empty and not reloads
    resolved = await resolver.resolve(host_names(desired))
    try:
        process = await adapter.identify()
        problems = await engine.read_for(desired)
    except RuntimeApiError as error:
        return Observation(
            notes=(f"{adapter.name}'s servers cannot be read: {error}",), complete=False
        )
    noun = adapter.backend_noun
    missing = tuple(f"{adapter.name} has no {noun} {backend}" for backend in sorted(engine.missing))
    notes = [*problems.values()]
    if process is not None:
        notes.append(f"{adapter.name} {process.version} answers, process {process.pid}")
    notes += [f"server {name} is {how} by an operator, and stays so" for name, how in engine.held]
    notes += [f"host {name} has no address: {why}" for name, why in resolved.failed.items()]
    return Observation(
        reload=missing if reloads else (),
        steps=tuple(change.step() for change in engine.pending(desired)),
        notes=(*notes, *(() if reloads else missing)),
        complete=not problems,
    )
