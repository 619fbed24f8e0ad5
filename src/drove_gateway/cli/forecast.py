"""What a gateway that starts now would serve: the responses after the guard's judgement. Pure."""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from drove_gateway.model.vocabulary import Snapshot, Topology
from drove_gateway.state.document import StoredNamespace
from drove_gateway.topology.build import TopologyBuild, build
from drove_gateway.topology.guard import GuardLimits, GuardMemory, HeldWithdrawal, judge
from drove_gateway.topology.namespace_build import NamespaceRules


class Forecast(msgspec.Struct, frozen=True):
    """`built` is what would be served, `held` the withdrawals that the guard would hold.

    `restored` has the namespaces that would be served from the stored state because no controller
    responds, with the time at which that state was current. `applied` is the topology that is
    stored as applied; None without a stored state.
    """

    built: TopologyBuild
    held: tuple[HeldWithdrawal, ...] = ()
    restored: Mapping[str, float] = {}
    applied: Topology | None = None


def forecast(
    snapshots: Mapping[str, Snapshot],
    stored: Mapping[str, StoredNamespace],
    controllers: Mapping[str, Sequence[str]],
    rules: Sequence[NamespaceRules],
    limits: GuardLimits,
) -> Forecast:
    """Judge each namespace's response against the state stored for the same `controllers`.

    A namespace without a response is served from the stored state, or without apps.
    """
    known = {
        name: each.snapshot
        for name, each in stored.items()
        if not set(each.controllers).isdisjoint(controllers.get(name, ()))
    }
    applied = {name: each.snapshot for name, each in stored.items()}
    accepted = applied | dict(snapshots)
    held = []
    for name, response in snapshots.items():
        verdict = judge(
            GuardMemory(known.get(name)),
            response,
            now=0.0,
            limits=limits,
            servers_elsewhere=partial(_servers_in_others, known, name),
        )
        accepted[name] = verdict.memory.accepted or response
        held += [verdict.held] if verdict.held else []
    return Forecast(
        built=build(accepted, rules),
        held=tuple(held),
        restored={name: each.changed for name, each in stored.items() if name not in snapshots},
        applied=build(applied, rules).topology if stored else None,
    )


def _servers_in_others(known: Mapping[str, Snapshot], name: str) -> int:
    """The number of servers in the other namespaces."""
    return sum(len(app.hosts) for other in known.keys() - {name} for app in known[other].apps)
