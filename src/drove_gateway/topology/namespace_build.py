"""What a namespace contributes to a topology: its apps after validation, realm and grouping. Pure.

Each app's result is kept, so that the next response costs what changed in it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from drove_gateway.model.identity_diff import identity_diff
from drove_gateway.model.spelling import (
    is_wildcard,
    vhost_spelling,
    vhost_suffix_spelling,
    without_brackets,
)
from drove_gateway.model.versioned_map import VersionedMap
from drove_gateway.model.vocabulary import (
    NO_TAGS,
    App,
    AppEndpoints,
    Host,
    HostGroup,
    Rejection,
    Snapshot,
    Tags,
)
from drove_gateway.topology.identity import Claim, Refused
from drove_gateway.topology.merge import joined
from drove_gateway.topology.names import Naming
from drove_gateway.topology.validation import shown, valid_app

HTTP = frozenset({"http", "https"})
NO_HTTP = (
    "its hosts are only tcp or udp, which the shipped templates do not serve; a request for it is "
    "answered as for an unknown vhost"
)


class NamespaceRules(msgspec.Struct, frozen=True):
    """Which of a namespace's vhosts are accepted, and how their hosts are grouped.

    `realm` holds exact vhosts, `realm_suffix` an ending; with neither, all are accepted, unless
    `restricted` says that the settings name some. All are spelled as vhosts are. `routing_tag` is
    the name of the tag whose value names a host group. `leader_vhost` is where the leading
    controller is served, `leader_vhost_text` as it is configured, which templates see. `naming`
    says how the proxy names what serves a vhost; None where its names cannot coincide.
    """

    namespace: str
    realm: frozenset[str] = frozenset()
    realm_suffix: str = ""
    routing_tag: str = ""
    leader_vhost: str = ""
    leader_vhost_text: str = ""
    restricted: bool = False
    naming: Naming | None = None

    def accept(self, vhost: str) -> bool:
        """Return whether the realm includes `vhost`."""
        if not self.realm and not self.realm_suffix:
            return not self.restricted
        return vhost in self.realm or bool(self.realm_suffix and vhost.endswith(self.realm_suffix))


def parse_rules(
    namespace: str,
    realm: str,
    realm_suffix: str,
    routing_tag: str,
    leader_vhost: str,
    naming: Naming | None = None,
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
        restricted=bool(realm or realm_suffix),
        naming=naming,
    )


class AppCounts(msgspec.Struct, frozen=True):
    """How many apps of a namespace's response were accepted, for the metrics."""

    with_routing_tag: int = 0
    without_routing_tag: int = 0
    ignored_by_realm: int = 0


class AcceptedApp(msgspec.Struct, frozen=True):
    """An app after validation and filtering; `vhost` is empty where it contributes nothing.

    `group` is empty where it contributes to no group of its vhost.
    """

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
    `without_http` are the vhosts whose every host is TCP or UDP: no rejected input, yet nobody gets
    a response from them unless a template of the operator's own serves them.
    `coinciding` are the ids of apps that are left out since a name that they need is taken.
    """

    snapshot: Snapshot
    rules: NamespaceRules
    reserved: frozenset[str]
    accepted_apps: VersionedMap[AcceptedApp]
    contributors: VersionedMap[Sequence[AcceptedApp]]
    apps: VersionedMap[App]
    rejected: tuple[Rejection, ...]
    counts: AppCounts
    coinciding: frozenset[str] = frozenset()
    without_http: frozenset[str] = frozenset()

    @property
    def served_snapshot(self) -> Snapshot:
        """The snapshot without the `coinciding` apps: a start from it knows what came first."""
        if not self.coinciding:
            return self.snapshot
        apps = tuple(app for app in self.snapshot.apps if app.app_id not in self.coinciding)
        return msgspec.structs.replace(self.snapshot, apps=apps)


def without_http(part: NamespaceBuild) -> Iterator[Rejection]:
    """Yield an entry for each vhost that has no HTTP at all, for people to read."""
    for vhost in sorted(part.without_http):
        source = part.contributors[vhost][0].source
        yield Rejection(part.rules.namespace, shown(source.app_id), "vhost", shown(vhost), NO_HTTP)


def namespace_build(
    snapshot: Snapshot,
    rule: NamespaceRules,
    reserved: frozenset[str],
    before: NamespaceBuild | None,
) -> NamespaceBuild:
    """Return what `snapshot` contributes; `before` is what the one before did."""
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
    """Whether two apps have one id, as only in a state file that somebody edited: the last counts,
    and nothing is taken over."""
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
    return _exchanged(before, snapshot, old, new)


def _exchanged(
    before: NamespaceBuild,
    snapshot: Snapshot,
    old: Sequence[AcceptedApp],
    new: Sequence[AcceptedApp],
) -> NamespaceBuild:
    """Return `before` with the results `new` instead of `old`, as `snapshot` lists them."""
    gone = {accepted.source.app_id for accepted in old}
    accepted_apps = before.accepted_apps.updated(
        {accepted.source.app_id: accepted for accepted in new}, without=gone
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
        without_http=(before.without_http - present.keys())
        | {vhost for vhost, app in apps.items() if not any(h.port_type in HTTP for h in app.hosts)},
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
    if reason := _vhost_refusal(checked.vhost, rule, reserved):
        rejection = Rejection(rule.namespace, source.app_id, "vhost", checked.vhost, reason)
        return AcceptedApp(source, rejected=(*checked.rejected, rejection))
    return AcceptedApp(
        source=source,
        vhost=checked.vhost,
        group="" if checked.group is None else checked.group or checked.vhost,
        hosts=checked.hosts if rule.naming and rule.naming.keeps_brackets else _bare(checked.hosts),
        tags=checked.tags,
        rejected=checked.rejected,
        tagged=bool(checked.group),
    )


def _bare(hosts: tuple[Host, ...]) -> tuple[Host, ...]:
    """Return the hosts without brackets, each once; the same tuple if none has brackets."""
    if all(host.host[0] != "[" for host in hosts):
        return hosts
    bare = (msgspec.structs.replace(host, host=without_brackets(host.host)) for host in hosts)
    return tuple({(host.host, host.port): host for host in bare}.values())


def _vhost_refusal(vhost: str, rule: NamespaceRules, reserved: frozenset[str]) -> str:
    """Return why a valid vhost cannot be served; nothing if it can."""
    if vhost in reserved:
        return "it is a namespace's leader_vhost; the app is left out"
    if is_wildcard(vhost) and not (rule.naming and rule.naming.wildcards):
        return "the proxy or its template does not serve wildcards; the app is left out"
    return ""


def _app(vhost: str, contributing: Sequence[AcceptedApp], before: NamespaceBuild) -> App:
    if _same_objects(before.contributors.get(vhost, ()), contributing):
        return before.apps[vhost]
    app = _single(contributing[0], before.rules)
    for accepted in contributing[1:]:
        app = joined(_single(accepted, before.rules), app)
    if app.groups:
        return app
    return msgspec.structs.replace(app, groups={vhost: HostGroup(app.hosts, app.tags)})


def _single(accepted: AcceptedApp, rule: NamespaceRules) -> App:
    return App(
        id=accepted.vhost,
        vhost=accepted.vhost,
        hosts=accepted.hosts,
        tags=accepted.tags,
        groups={accepted.group: HostGroup(accepted.hosts, accepted.tags)} if accepted.group else {},
        routing_tag_key=rule.routing_tag,
    )


def without(
    part: NamespaceBuild, refused: Refused, before: NamespaceBuild | None
) -> NamespaceBuild:
    """Return `part` without what is refused of it. Vhosts that are as in `before`, the result of
    an earlier call, are the same objects."""
    pairs = [
        (accepted, _left_out(accepted, refused, part.rules))
        for vhost in refused.vhosts
        for accepted in part.contributors.get(vhost, ())
    ]
    old = [accepted for accepted, other in pairs if other is not accepted]
    new = [other for accepted, other in pairs if other is not accepted]
    if not new:
        return part
    changed = _exchanged(part, part.snapshot, old, new)
    same = {
        vhost: before.apps[vhost]
        for vhost in refused.vhosts
        if before is not None and vhost in before.apps
        if before.apps[vhost] == changed.apps.get(vhost)
    }
    return msgspec.structs.replace(
        changed,
        apps=changed.apps.updated(same),
        coinciding=frozenset(accepted.source.app_id for accepted in new if not accepted.vhost),
    )


def _left_out(accepted: AcceptedApp, refused: Refused, rule: NamespaceRules) -> AcceptedApp:
    """`accepted` without what is refused of it; the same object where nothing is."""
    source = accepted.source
    reason = refused.groups.get(Claim(accepted.vhost, accepted.group or accepted.vhost))
    if reason is not None:
        subject = "tag" if accepted.tagged else "vhost"
        value = f"{rule.routing_tag}={accepted.group}" if accepted.tagged else accepted.vhost
        why = Rejection(rule.namespace, shown(source.app_id), subject, shown(value), reason)
        return AcceptedApp(source, rejected=(*accepted.rejected, why))
    reasons = refused.hosts.get(accepted.vhost, {})
    found = [host for host in accepted.hosts if host in reasons]
    if not found:
        return accepted
    rejected = tuple(
        Rejection(rule.namespace, shown(source.app_id), "host", shown(host.host), reasons[host])
        for host in found
    )
    return msgspec.structs.replace(
        accepted,
        hosts=tuple(host for host in accepted.hosts if host not in reasons),
        rejected=(*accepted.rejected, *rejected),
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
