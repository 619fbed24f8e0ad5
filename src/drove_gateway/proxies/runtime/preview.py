"""What would change in a running proxy, by reading it only."""

from collections.abc import Callable, Iterator

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.plan import Step
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.preview import Observation
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.backends import BackendChanges, ReadsBackends, Situation
from drove_gateway.proxies.runtime.desired import host_names
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.resolver import Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules, desired_servers
from drove_gateway.proxies.runtime.servers import Action, Change


async def preview_servers(
    adapter: Adapter,
    rules: RuntimeRules,
    resolver: Resolver,
    desired: Topology,
    *,
    reloads: bool,
    clock: Callable[[], float],
    texts: tuple[str, str] | None = None,
) -> Observation:
    """Compare the proxy's servers with `desired`, as a gateway does that has just started.

    With `reloads`, a backend that is not there comes with a reload, or over the runtime API where
    that can make those of `texts`, which are the file's and the rendered text without generations.
    Without `reloads`, its servers are added where an empty backend looks as if it were missing.
    """
    servers = desired_servers(rules, adapter, resolver, reloads=reloads)
    engine = Engine(adapter, servers, resolver, clock=clock)
    abilities = adapter.abilities
    engine.fills_missing = abilities.creates_backends or (abilities.hides_empty and not reloads)
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
    steps = tuple(change.step() for change in engine.pending(desired))
    reload, first_line = missing if reloads else (), ""
    if texts is not None and adapter.texts is not None and adapter.makes_backends:
        first_line = adapter.texts.first_line(*texts)
        backends = await _backends(adapter.texts, texts, engine, resolver)
        steps = (*_steps(backends), *steps)
        reload = (backends.reload,) if backends.reload else ()
    notes = [*problems.values()]
    if process is not None:
        notes.append(f"{adapter.name} {process.version} responds, process {process.pid}")
    notes += [f"server {name} is {how} by an operator, and stays so" for name, how in engine.held]
    notes += [f"host {name} has no address: {why}" for name, why in resolved.failed.items()]
    return Observation(
        reload=reload,
        steps=steps,
        notes=(*notes, *(() if reloads else missing)),
        complete=not problems,
        first_line=first_line,
    )


async def _backends(
    reader: ReadsBackends, texts: tuple[str, str], engine: Engine, resolver: Resolver
) -> BackendChanges:
    resolved = await resolver.resolve(reader.host_names(texts[1], engine.seen))
    own = reader.own_backends(texts[0])
    return reader.changes(*texts, Situation(engine.seen, resolved.addresses, own=own))


def _steps(backends: BackendChanges) -> Iterator[Step]:
    """The changes of whole backends; a removed backend is also drained and deleted."""
    yield from (change.step() for change in backends.changes)
    for name in backends.removed:
        yield Change(Action.UNPUBLISH, name, "", "no longer in the configuration").step()
