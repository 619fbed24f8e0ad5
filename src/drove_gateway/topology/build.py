"""Builds a topology from snapshots and rules. Pure.

The order of work is the original's: for each app of a response, apps without hosts are left out,
the realm filters, then the app is merged into its vhost. What Drove sends is untrusted: what is
invalid is left out here and named in `TopologyBuild.rejected`.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import msgspec

from drove_gateway.model.identity_diff import identity_diff
from drove_gateway.model.spelling import vhost_spelling, vhost_suffix_spelling
from drove_gateway.model.versioned_map import VersionedMap, changed_keys, versioned
from drove_gateway.model.vocabulary import (
    NO_TAGS,
    App,
    AppEndpoints,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Rejection,
    Snapshot,
    Tags,
    Topology,
)
from drove_gateway.topology.merge import across, joined
from drove_gateway.topology.validation import valid_app


class NamespaceRules(msgspec.Struct, frozen=True):
    """Which of a namespace's vhosts are accepted, and how their hosts are grouped.

    `realm` holds exact vhosts, `realm_suffix` an ending; with neither, all are accepted. All are
    spelled as vhosts are. `routing_tag` is the name of the tag whose value names a host group.
    `leader_vhost` is where the leading controller is served, `leader_vhost_text` as it is
    configured, which templates see.
    """

    namespace: str
    realm: frozenset[str] = frozenset()
    realm_suffix: str = ""
    routing_tag: str = ""
    leader_vhost: str = ""
    leader_vhost_text: str = ""

    def accept(self, vhost: str) -> bool:
        """Return whether the realm includes `vhost`."""
        if not self.realm and not self.realm_suffix:
            return True
        return vhost in self.realm or bool(self.realm_suffix and vhost.endswith(self.realm_suffix))


def parse_rules(
    namespace: str, realm: str, realm_suffix: str, routing_tag: str, leader_vhost: str
) -> NamespaceRules:
    """Return the rules that a namespace's settings state; `realm` is separated by commas."""
    vhosts = (vhost_spelling(vhost.strip()) for vhost in realm.split(","))
    return NamespaceRules(
        namespace=namespace,
        realm=frozenset(vhost for vhost in vhosts if vhost),
        realm_suffix=vhost_suffix_spelling(realm_suffix.strip()),
        routing_tag=routing_tag,
        leader_vhost=vhost_spelling(leader_vhost),
        leader_vhost_text=leader_vhost,
    )


class AppCounts(msgspec.Struct, frozen=True):
    """How many apps of a namespace's response were accepted, for the metrics."""

    with_routing_tag: int = 0
    without_routing_tag: int = 0
    ignored_by_realm: int = 0


class TopologyBuild(msgspec.Struct, frozen=True):
    """A topology, what was left out of it and why, and each namespace's counts.

    `parts` remembers the result for each app of a namespace, so that the next build works only on
    what changed. `leader_vhosts` has the namespace for each vhost at which a leader is served.
    """

    topology: Topology
    rejected: tuple[Rejection, ...]
    counts: Mapping[str, AppCounts]
    parts: "Mapping[str, NamespaceBuild]"
    leader_vhosts: Mapping[str, str] = {}


class AcceptedApp(msgspec.Struct, frozen=True):
    """An app after validation and filtering; `vhost` is empty where it contributes nothing."""

    source: AppEndpoints
    vhost: str = ""
    group: str = ""
    hosts: tuple[Host, ...] = ()
    tags: Tags = NO_TAGS
    rejected: tuple[Rejection, ...] = ()
    ignored_by_realm: bool = False
    tagged: bool = False


class NamespaceBuild(msgspec.Struct, frozen=True):
    """The contribution of a namespace: the result for each app, and the vhosts merged from them.

    `rules` and `reserved` (the leader_vhosts of all namespaces) are what it was made with.
    """

    snapshot: Snapshot
    rules: NamespaceRules
    reserved: frozenset[str]
    accepted_apps: VersionedMap[AcceptedApp]
    contributors: VersionedMap[Sequence[AcceptedApp]]
    apps: VersionedMap[App]
    rejected: tuple[Rejection, ...]
    counts: AppCounts


def build(
    snapshots: Mapping[str, Snapshot],
    all_rules: Sequence[NamespaceRules],
    previous: TopologyBuild | None = None,
) -> TopologyBuild:
    """Merge the namespaces' snapshots, in the order of `all_rules`, into one topology.

    With `previous`, what came from unchanged apps is taken over as the same objects; the result
    is equal to a build without it.
    """
    before = previous.parts if previous else {}
    reserved = frozenset(rule.leader_vhost for rule in all_rules)
    parts = {
        rule.namespace: _part(snapshots[rule.namespace], rule, reserved, before.get(rule.namespace))
        for rule in all_rules
        if rule.namespace in snapshots
    }
    topology = Topology(
        apps=_merged_namespaces(tuple(parts.values()), previous),
        namespaces={
            rule.namespace: Namespace(
                leader_vhost=rule.leader_vhost_text,
                leader=snapshots[rule.namespace].leader
                if rule.namespace in snapshots
                else Leader(),
                routing_tag=rule.routing_tag,
            )
            for rule in all_rules
        },
    )
    return TopologyBuild(
        topology=topology,
        rejected=tuple(
            rejection
            for part in parts.values()
            for rejection in (*part.snapshot.rejected, *part.rejected)
        ),
        counts={name: part.counts for name, part in parts.items()},
        parts=parts,
        leader_vhosts={
            rule.leader_vhost: rule.namespace for rule in all_rules if rule.leader_vhost
        },
    )


def _part(
    snapshot: Snapshot,
    rule: NamespaceRules,
    reserved: frozenset[str],
    before: NamespaceBuild | None,
) -> NamespaceBuild:
    nothing = NamespaceBuild(
        msgspec.structs.replace(snapshot, apps=()),
        rule,
        reserved,
        accepted_apps=VersionedMap(),
        contributors=VersionedMap(),
        apps=VersionedMap(),
        rejected=(),
        counts=AppCounts(),
    )
    if before is None or before.rules != rule or before.reserved != reserved or _doubled(before):
        return _updated(nothing, snapshot)
    part = _updated(before, snapshot)
    return _updated(nothing, snapshot) if _doubled(part) else part


def _doubled(part: NamespaceBuild) -> bool:
    """Whether an app is listed twice; it counts as it is listed last, and nothing is taken over."""
    return len(part.accepted_apps) != len(part.snapshot.apps)


def _updated(before: NamespaceBuild, snapshot: Snapshot) -> NamespaceBuild:
    """Return `before` with the changes of `snapshot`; except for copying, the cost follows them."""
    gone, come = identity_diff(before.snapshot.apps, snapshot.apps)
    if not gone and not come:
        return msgspec.structs.replace(before, snapshot=snapshot)
    old = [
        before.accepted_apps[source.app_id]
        for source in gone
        if source.app_id in before.accepted_apps
    ]
    same = {accepted.source.app_id: accepted for accepted in old}
    new = [_accepted(source, same.get(source.app_id), before) for source in come]
    accepted_apps = before.accepted_apps.updated(
        {accepted.source.app_id: accepted for accepted in new}, without=same
    )
    present = _contributing(before, snapshot, accepted_apps, old, new)
    empty = [vhost for vhost, contributing in present.items() if not contributing]
    contributors = {vhost: contributing for vhost, contributing in present.items() if contributing}
    apps = {
        vhost: _app(vhost, contributing, before) for vhost, contributing in contributors.items()
    }
    rejected = before.rejected
    if any(accepted.rejected for accepted in (*old, *new)):
        rejected = tuple(why for app in snapshot.apps for why in accepted_apps[app.app_id].rejected)
    return NamespaceBuild(
        snapshot,
        before.rules,
        before.reserved,
        accepted_apps,
        before.contributors.updated(contributors, without=empty),
        before.apps.updated(apps, without=empty),
        rejected,
        _sum(before.counts, _counts(new), _counts(old)),
    )


def _accepted(source: AppEndpoints, known: AcceptedApp | None, part: NamespaceBuild) -> AcceptedApp:
    if known is not None and known.source is source:
        return known
    return _validated(source, part.rules, part.reserved)


def _contributing(
    before: NamespaceBuild,
    snapshot: Snapshot,
    accepted_apps: Mapping[str, AcceptedApp],
    old: Sequence[AcceptedApp],
    new: Sequence[AcceptedApp],
) -> Mapping[str, list[AcceptedApp]]:
    """The vhosts of what went and of what came, each with its apps in the snapshot's order."""
    ids: dict[str, set[str]] = {
        accepted.vhost: set() for accepted in (*old, *new) if accepted.vhost
    }
    for vhost, named in ids.items():
        named.update(accepted.source.app_id for accepted in before.contributors.get(vhost, ()))
    for accepted in new:
        if accepted.vhost:
            ids[accepted.vhost].add(accepted.source.app_id)
    found = {
        vhost: [
            accepted_apps[name]
            for name in named
            if name in accepted_apps and accepted_apps[name].vhost == vhost
        ]
        for vhost, named in ids.items()
    }
    several = {
        accepted.source.app_id
        for contributing in found.values()
        if len(contributing) > 1
        for accepted in contributing
    }
    if several:
        places = {app.app_id: at for at, app in enumerate(snapshot.apps) if app.app_id in several}
        for contributing in found.values():
            contributing.sort(key=lambda accepted: places.get(accepted.source.app_id, 0))
    return found


def _validated(source: AppEndpoints, rule: NamespaceRules, reserved: frozenset[str]) -> AcceptedApp:
    checked = valid_app(rule.namespace, source, rule.routing_tag)
    if not checked.vhost or not checked.hosts:
        return AcceptedApp(source, rejected=checked.rejected)
    if not rule.accept(checked.vhost):
        return AcceptedApp(source, rejected=checked.rejected, ignored_by_realm=True)
    if checked.vhost in reserved:
        rejection = Rejection(
            rule.namespace,
            source.app_id,
            "vhost",
            checked.vhost,
            "it is a namespace's leader_vhost; the app is left out",
        )
        return AcceptedApp(source, rejected=(*checked.rejected, rejection))
    value = checked.tags.get(rule.routing_tag, "").lower() if rule.routing_tag else ""
    return AcceptedApp(
        source=source,
        vhost=checked.vhost,
        group=value or checked.vhost,
        hosts=checked.hosts,
        tags=checked.tags,
        rejected=checked.rejected,
        tagged=bool(value),
    )


def _app(vhost: str, contributing: Sequence[AcceptedApp], before: NamespaceBuild) -> App:
    if _same_objects(before.contributors.get(vhost, ()), contributing):
        return before.apps[vhost]
    app = _single(contributing[0], before.rules)
    for accepted in contributing[1:]:
        app = joined(_single(accepted, before.rules), app)
    return app


def _single(accepted: AcceptedApp, rule: NamespaceRules) -> App:
    return App(
        id=accepted.vhost,
        vhost=accepted.vhost,
        hosts=accepted.hosts,
        tags=accepted.tags,
        groups={accepted.group: HostGroup(accepted.hosts, accepted.tags)},
        routing_tag_key=rule.routing_tag,
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


def _counts(valid: Iterable[AcceptedApp]) -> AppCounts:
    tagged = untagged = ignored = 0
    for accepted in valid:
        tagged += bool(accepted.vhost) and accepted.tagged
        untagged += bool(accepted.vhost) and not accepted.tagged
        ignored += accepted.ignored_by_realm
    return AppCounts(tagged, untagged, ignored)


def _sum(counts: AppCounts, plus: AppCounts, minus: AppCounts) -> AppCounts:
    return AppCounts(
        counts.with_routing_tag + plus.with_routing_tag - minus.with_routing_tag,
        counts.without_routing_tag + plus.without_routing_tag - minus.without_routing_tag,
        counts.ignored_by_realm + plus.ignored_by_realm - minus.ignored_by_realm,
    )


def _same_objects(first: Sequence[object], second: Sequence[object]) -> bool:
    return len(first) == len(second) and all(a is b for a, b in zip(first, second, strict=True))
