"""What health says of the servers."""

from collections.abc import Container, Mapping, Sequence

from drove_gateway.model.health import PENDING, HealthSection, of_some
from drove_gateway.model.vocabulary import Topology
from drove_gateway.model.wording import first_and_more
from drove_gateway.proxies.runtime.engine import Engine
from drove_gateway.proxies.runtime.ledger import Stage
from drove_gateway.proxies.runtime.servers import Change

_NAMED = 5


def servers_section(
    engine: Engine,
    desired: Topology,
    silence: str,
    failed: Sequence[tuple[str, str]],
    surplus: Sequence[str] = (),
) -> HealthSection:
    """`UpstreamUpdatesViaAPI`: healthy when the proxy's servers are those of `desired`.

    `silence` says why the API does not answer, `failed` names what the last apply could not do.
    `surplus` are backends that the configuration does not have.
    """
    if silence:
        return HealthSection(healthy=False, message=silence)
    if not engine.known:
        return PENDING
    noun = engine.adapter.backend_noun
    pending = engine.pending(desired)
    problems = dict.fromkeys(
        [
            *(f"{vhost}: {why}" for vhost, why in failed),
            *(
                f"{vhost}: {engine.adapter.name} has no {noun} {backend}"
                for backend, vhost in engine.missing.items()
                if vhost in desired.apps
            ),
            *(f"{c.backend}/{c.name} {c.reason}" for c in pending),
        ]
    )
    if not problems:
        notes = [f"{name} is {state}" for name, state in _notes(engine)]
        notes += [f"{noun} {name} is not in the configuration" for name in surplus]
        return HealthSection(message=f"OK: {listed(notes)}" if notes else "OK")
    vhosts = len({problem.partition(":")[0].partition("/")[0] for problem in problems})
    summary = f"{vhosts} of {len(desired.apps)} {noun}s are not up to date: " if vhosts > 1 else ""
    section = HealthSection(healthy=False, message=f"{summary}{listed(list(problems))}")
    return of_some(section, _faulty(engine, desired, failed, pending), desired.apps)


def _faulty(
    engine: Engine,
    desired: Topology,
    failed: Sequence[tuple[str, str]],
    pending: Sequence[Change],
) -> set[str]:
    """The vhosts whose servers are not as they should be."""
    changing = {change.backend for change in pending}
    return (
        {vhost for vhost, _ in failed}
        | set(engine.missing.values()).intersection(desired.apps)
        | {each.vhost for each in engine.desired.due(desired) if each.name in changing}
    )


def failures(
    engine: Engine, desired: Topology, failed: Mapping[str, str], refused: Container[str]
) -> tuple[tuple[str, str], ...]:
    """Return the vhosts of `desired` that are not as they should be after an apply, each with the
    reason. `failed` has the reasons by backend; vhosts in `refused` are reported by others."""
    adapter = engine.adapter
    vhosts = {
        backend: app.vhost
        for app in (desired.apps.values() if failed else ())
        for backend in adapter.backends(app)
    }
    return (
        *((vhosts.get(name, name), why) for name, why in failed.items()),
        *(
            (vhost, f"{adapter.name} has no {adapter.backend_noun} {backend}")
            for backend, vhost in engine.missing.items()
            if vhost not in refused
        ),
        *engine.desired.unresolved(desired),
    )


def listed(items: Sequence[str]) -> str:
    """Return the first few items, and how many more there are."""
    return first_and_more(items, _NAMED)


def _notes(engine: Engine) -> list[tuple[str, str]]:
    pinned = [
        (f"{backend}/{name}", entry.stage.value)
        for backend, name, entry in engine.ledger.at(Stage.PINNED)
    ]
    return pinned + [(name, f"{state}, set by an operator") for name, state in engine.held]
