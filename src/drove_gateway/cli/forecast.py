"""What a gateway that starts now would serve: the responses after the guard's judgement. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from drove_gateway.acceptance.budget import GuardLimits
from drove_gateway.acceptance.held import HeldWithdrawal
from drove_gateway.acceptance.verdict import Evidence, Memory, judge
from drove_gateway.model.vocabulary import Snapshot, Topology
from drove_gateway.state.document import StoredNamespace
from drove_gateway.topology.build import TopologyBuild, build
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

    A namespace without a response is served from the stored state, or without apps. No server is
    probed: those that a gateway would find dead are among the held servers.
    """
    known = {
        name: each.snapshot
        for name, each in stored.items()
        if not set(each.controllers).isdisjoint(controllers.get(name, ()))
    }
    applied = {name: each.snapshot for name, each in stored.items()}
    verdict = judge(
        Memory(build(known, rules), unproven=frozenset(known)),
        build(applied | dict(snapshots), rules),
        rules,
        Evidence(now=0.0, responded=frozenset(snapshots)),
        limits,
    )
    return Forecast(
        built=verdict.memory.served,
        held=verdict.held,
        restored={name: each.changed for name, each in stored.items() if name not in snapshots},
        applied=build(applied, rules).topology if stored else None,
    )
