"""Builds a topology from snapshots and rules. Pure.

The order of work is the original's: for each app of a response, apps without hosts are left out,
the realm filters, then the app is merged into its vhost. What Drove sends is untrusted: what is
invalid is left out here and named in `TopologyBuild.rejected`.
"""

from collections.abc import Mapping, Sequence
from functools import reduce

import msgspec

from drove_gateway.model.versioned_map import VersionedMap, changed_keys, versioned
from drove_gateway.model.vocabulary import App, Leader, Namespace, Rejection, Snapshot, Topology
from drove_gateway.topology import identity
from drove_gateway.topology.identity import NO_CLAIMS, Claims, Refused
from drove_gateway.topology.merge import across
from drove_gateway.topology.names import Naming
from drove_gateway.topology.namespace_build import (
    AppCounts,
    NamespaceBuild,
    NamespaceRules,
    namespace_build,
    without,
    without_http,
)


class TopologyBuild(msgspec.Struct, frozen=True):
    """A topology, what was left out of it and why, and each namespace's counts.

    `parts` remembers the result for each app of a namespace, so that the next build works only on
    what changed. `leader_vhosts` has the namespace for each vhost at which a leader is served.
    `claims` are the names that the vhosts need, `uncontested` is the build before those were left
    out that coincide; None where none do.
    """

    topology: Topology
    rejected: tuple[Rejection, ...]
    counts: Mapping[str, AppCounts]
    parts: "Mapping[str, NamespaceBuild]"
    leader_vhosts: Mapping[str, str] = {}
    claims: Claims = NO_CLAIMS
    naming: Naming | None = None
    uncontested: "TopologyBuild | None" = None

    @property
    def whole(self) -> "TopologyBuild":
        """The build with everything whose names coincide."""
        return self.uncontested or self


def build(
    snapshots: Mapping[str, Snapshot],
    all_rules: Sequence[NamespaceRules],
    previous: TopologyBuild | None = None,
    *,
    incumbents: Topology | None = None,
) -> TopologyBuild:
    """Merge the namespaces' snapshots, in the order of `all_rules`, into one topology.

    With `previous`, what came from unchanged apps is taken over as the same objects; the result
    is equal to a build without it, except for names that coincide: `incumbents`, or else what is in
    `previous`, keep theirs.
    """
    whole = _whole(snapshots, all_rules, previous.whole if previous else None)
    naming = all_rules[0].naming if all_rules else None
    if naming is None:
        return whole
    before = previous.claims if previous and previous.naming == naming else NO_CLAIMS
    claims = identity.claims(versioned(whole.topology.apps), naming, before)
    if incumbents is None and previous is not None:
        incumbents = previous.topology
    served = incumbents.apps if incumbents is not None else {}
    refused = identity.refused(claims, naming, whole.leader_vhosts, served)
    whole = msgspec.structs.replace(whole, claims=claims, naming=naming)
    return _without(whole, refused, previous) if refused else whole


def _whole(
    snapshots: Mapping[str, Snapshot],
    all_rules: Sequence[NamespaceRules],
    previous: TopologyBuild | None,
) -> TopologyBuild:
    """The build with everything whose names coincide."""
    before = previous.parts if previous else {}
    reserved = frozenset(rule.leader_vhost for rule in all_rules)
    parts = {
        name: namespace_build(snapshots[name], rule, reserved, before.get(name))
        for name, rule in ((rule.namespace, rule) for rule in all_rules)
        if name in snapshots
    }
    namespaces = {
        rule.namespace: Namespace(
            leader_vhost=rule.leader_vhost_text,
            leader=snapshots[rule.namespace].leader if rule.namespace in snapshots else Leader(),
            routing_tag=rule.routing_tag,
        )
        for rule in all_rules
    }
    leaders = {rule.leader_vhost: rule.namespace for rule in all_rules if rule.leader_vhost}
    return _of_parts(parts, namespaces, leaders, previous)


def _of_parts(
    parts: Mapping[str, NamespaceBuild],
    namespaces: Mapping[str, Namespace],
    leaders: Mapping[str, str],
    previous: TopologyBuild | None,
) -> TopologyBuild:
    return TopologyBuild(
        topology=Topology(_merged_namespaces(tuple(parts.values()), previous), namespaces),
        rejected=tuple(
            rejection
            for part in parts.values()
            for rejection in (*part.snapshot.rejected, *part.rejected, *without_http(part))
        ),
        counts={name: part.counts for name, part in parts.items()},
        parts=parts,
        leader_vhosts=leaders,
    )


def _without(
    whole: TopologyBuild, refused: Refused, previous: TopologyBuild | None
) -> TopologyBuild:
    """Leave out what is refused. What was left out before keeps its objects."""
    before = previous.parts if previous else {}
    parts = {name: without(part, refused, before.get(name)) for name, part in whole.parts.items()}
    build = _of_parts(parts, whole.topology.namespaces, whole.leader_vhosts, previous)
    return msgspec.structs.replace(
        build, claims=whole.claims, naming=whole.naming, uncontested=whole
    )


def _merged_namespaces(
    parts: Sequence[NamespaceBuild], previous: TopologyBuild | None
) -> Mapping[str, App]:
    """The vhosts of all namespaces; only those that changed are merged anew."""
    if len(parts) == 1:
        return parts[0].apps
    merged: VersionedMap[App] = VersionedMap()
    before: list[VersionedMap[App]] = [VersionedMap() for _ in parts]
    if previous is not None and list(previous.parts) == [part.rules.namespace for part in parts]:
        merged = versioned(previous.topology.apps)
        before = [part.apps for part in previous.parts.values()]
    due = {
        vhost
        for apps, part in zip(before, parts, strict=True)
        for vhost in changed_keys(apps, part.apps)
    }
    present = {vhost: [part.apps[vhost] for part in parts if vhost in part.apps] for vhost in due}
    changes = {vhost: reduce(across, apps) for vhost, apps in present.items() if apps}
    return merged.updated(
        {vhost: app for vhost, app in changes.items() if merged.get(vhost) != app},
        without=[vhost for vhost, apps in present.items() if not apps],
    )
