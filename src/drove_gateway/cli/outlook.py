"""What a gateway that begins now would work with: the answers, weighed by its guard. Pure."""

from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from drove_gateway.model.vocabulary import Snapshot, Topology
from drove_gateway.state.document import StoredNamespace
from drove_gateway.topology.build import NamespaceRules, TopologyBuild, build
from drove_gateway.topology.guard import GuardLimits, GuardMemory, HeldWithdrawal, judge


class Outlook(msgspec.Struct, frozen=True):
    """`built` is what would be served, `held` what of it the guard keeps against the answers.

    `restored` has the namespaces that are served from the stored state, since nobody answers, with
    the time when that was new. `applied` is what is stored as applied, None where nothing is.
    """

    built: TopologyBuild
    held: tuple[HeldWithdrawal, ...] = ()
    restored: Mapping[str, float] = {}
    applied: Topology | None = None


def outlook(
    snapshots: Mapping[str, Snapshot],
    stored: Mapping[str, StoredNamespace],
    controllers: Mapping[str, Sequence[str]],
    rules: Sequence[NamespaceRules],
    limits: GuardLimits,
) -> Outlook:
    """Weigh each namespace's answer against what is stored of the same `controllers`.

    A namespace that gave no answer is as it is stored, or without apps.
    """
    known = {
        name: one.snapshot
        for name, one in stored.items()
        if not set(one.controllers).isdisjoint(controllers.get(name, ()))
    }
    accepted = {name: one.snapshot for name, one in stored.items()} | dict(snapshots)
    held = []
    for name, answer in snapshots.items():
        judged = judge(
            GuardMemory(known.get(name)),
            answer,
            now=0.0,
            limits=limits,
            servers_elsewhere=partial(_servers_beside, known, name),
        )
        accepted[name] = judged.watched.accepted or answer
        held += [judged.held] if judged.held else []
    applied = build({name: one.snapshot for name, one in stored.items()}, rules).topology
    return Outlook(
        built=build(accepted, rules),
        held=tuple(held),
        restored={name: one.changed for name, one in stored.items() if name not in snapshots},
        applied=applied if stored else None,
    )


def _servers_beside(known: Mapping[str, Snapshot], name: str) -> int:
    """How many servers the other namespaces have."""
    return sum(len(app.hosts) for other in known.keys() - {name} for app in known[other].apps)
