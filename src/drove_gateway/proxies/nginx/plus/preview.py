"""What would change in a running NGINX Plus: by GET requests to its API only."""

from collections.abc import Mapping

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.plan import Step
from drove_gateway.model.vocabulary import App, Topology
from drove_gateway.proxies.installation.preview import Seen
from drove_gateway.proxies.nginx.plus import desired as wish
from drove_gateway.proxies.nginx.plus.client import ApiDown, ApiRefused, Client
from drove_gateway.proxies.nginx.plus.parallel import each
from drove_gateway.proxies.nginx.plus.planner import Parameters, plan_upstream
from drove_gateway.proxies.nginx.plus.wire import Server
from drove_gateway.proxies.runtime.resolver import Resolver

_PARALLEL = 8
_TAKES = frozenset({"drain", "delete"})


async def look_at_upstreams(
    client: Client,
    parameters: Parameters,
    resolver: Resolver,
    desired: Topology,
    *,
    drain: bool,
    by_reload: bool,
) -> Seen:
    """Compare NGINX's upstreams with `desired`, as a gateway does that has just started.

    `drain`: unwanted servers drain before they are deleted. `by_reload`: an upstream that is not
    there comes with a reload; without, its servers are added, since one whose state file is empty
    looks the same.
    """
    apps = {vhost: app for vhost, app in desired.apps.items() if wish.hosts(app) is not None}
    names = frozenset().union(*(wish.names(app) for app in apps.values()))
    resolved = await resolver.resolve(names)
    steps: dict[str, tuple[Step, ...]] = {}
    reasons: list[str] = []
    notes = [f"host {name} has no address: {why}" for name, why in resolved.failed.items()]

    async def compare(app: App) -> None:
        try:
            found = await _servers(client, app.vhost)
        except ApiDown:
            raise
        except RuntimeApiError as error:
            notes.append(str(error))
            return
        if found is None and by_reload:
            reasons.append(f"NGINX has no upstream {app.vhost}")
        else:
            steps[app.vhost] = _steps(app, found or (), resolved.addresses, parameters, drain)

    try:
        await each(apps.values(), compare, parallel=_PARALLEL)
    except ApiDown as error:
        return Seen(notes=(f"NGINX's servers cannot be read: {error}",), complete=False)
    every = [step for vhost in apps for step in steps.get(vhost, ())]
    every.sort(key=lambda step: step.action.split()[0] in _TAKES)
    complete = len(reasons) + len(steps) == len(apps)
    return Seen(tuple(sorted(reasons)), tuple(every), tuple(notes), complete)


async def _servers(client: Client, upstream: str) -> tuple[Server, ...] | None:
    """An upstream's servers; None where NGINX has no such upstream."""
    try:
        return tuple(await client.servers(upstream))
    except ApiRefused as error:
        if error.code == "UpstreamNotFound":
            return None
        raise


def _steps(
    app: App,
    observed: tuple[Server, ...],
    addresses: Mapping[str, str],
    parameters: Parameters,
    drain: bool,
) -> tuple[Step, ...]:
    wanted = wish.wanted(app, addresses)
    plan = plan_upstream(wanted.servers, observed, parameters, drain_first=drain)
    # Which of the servers stand for a name without an address cannot be told: all stay.
    return tuple(
        action.step(app.vhost)
        for action in plan.actions
        if not (wanted.unresolved and action.kind in _TAKES)
    )
