"""What health says of the runtime updates."""

from collections.abc import Sequence

from drove_gateway.model.health import PENDING, HealthSection
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.haproxy.ledger import Stage
from drove_gateway.proxies.haproxy.servers import Servers

_NAMED = 5


def upstream_section(
    servers: Servers,
    desired: Topology,
    silence: str,
    failed: Sequence[tuple[str, str]],
) -> HealthSection:
    """`UpstreamUpdatesViaAPI`: healthy when HAProxy's servers are those of `desired`.

    `silence` says why the API does not answer, `failed` names what the last apply could not do.
    """
    if silence:
        return HealthSection(healthy=False, message=silence)
    if servers.seen is None:
        return PENDING
    pending = [f"{one.backend}/{one.name} {one.reason}" for one in servers.pending(desired)]
    problems = [
        *(f"{vhost}: {why}" for vhost, why in failed),
        *(
            f"{vhost}: HAProxy has no backend {backend}"
            for backend, vhost in servers.lacking.items()
            if vhost in desired.apps
        ),
        *pending,
    ]
    if problems:
        return HealthSection(healthy=False, message=_listed(list(dict.fromkeys(problems))))
    notes = [f"{name} is {state}" for name, state in _notes(servers)]
    return HealthSection(message=f"OK: {_listed(notes)}" if notes else "OK")


def _notes(servers: Servers) -> list[tuple[str, str]]:
    pinned = [
        (f"{backend}/{name}", entry.stage.value)
        for backend, name, entry in servers.ledger.at(Stage.PINNED)
    ]
    return pinned + servers.held


def _listed(items: list[str]) -> str:
    more = len(items) - _NAMED
    return "; ".join(items[:_NAMED]) + (f"; and {more} more" if more > 0 else "")
