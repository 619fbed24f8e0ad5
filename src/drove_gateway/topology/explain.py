"""Why a vhost is what it is: which apps, instances, tags and rules made it. Pure."""

from collections.abc import Iterator

from drove_gateway.model.vocabulary import App
from drove_gateway.topology.build import TopologyBuild
from drove_gateway.topology.namespace_build import HTTP, NO_HTTP, AcceptedApp, NamespaceBuild


def explain(built: TopologyBuild, vhost: str) -> tuple[str, ...]:
    """Return lines for a person. `vhost` is spelled as vhosts are. If it is not served, they say
    why, where that is known."""
    lines = []
    app = built.topology.apps.get(vhost)
    if app is None:
        lines.append(f"{vhost} is not served.")
    else:
        lines.append(f"{vhost} should be served by {_count(len(app.hosts), 'server')}.")
    if app is not None and not any(host.port_type in HTTP for host in app.hosts):
        lines.append(f"No request reaches it: {NO_HTTP}.")
    for namespace, part in built.parts.items():
        lines += _namespace(namespace, part, vhost)
    if owner := built.leader_vhosts.get(vhost):
        leader = built.topology.namespaces[owner].leader.endpoint
        lines.append(
            f"It is the leader_vhost of namespace {owner}: {leader or 'no controller leads'}."
        )
    if app is not None:
        lines += _merged(app)
    if app is None and len(lines) == 1:
        lines.append("No controller lists an app with this vhost.")
    return tuple(lines)


def _namespace(namespace: str, part: NamespaceBuild, vhost: str) -> Iterator[str]:
    found = [accepted for accepted in part.accepted_apps.values() if accepted.source.vhost == vhost]
    if not found:
        return
    leader = part.snapshot.leader.endpoint or "its stored state"
    yield f"Namespace {namespace}, as reported by {leader}:"
    for accepted in found:
        yield from (f"  {line}" for line in _app(accepted, part))


def _app(accepted: AcceptedApp, part: NamespaceBuild) -> Iterator[str]:
    source, rules = accepted.source, part.rules
    listed = _count(len(source.hosts), "host")
    if accepted.ignored_by_realm:
        unset = "not set" if rules.realm_suffix else "names no vhost"
        allowed = ", ".join(sorted(rules.realm)) or unset
        suffix = rules.realm_suffix or "not set"
        yield (
            f"app {source.app_id}: left out, neither in realm ({allowed}) "
            f"nor ending in realm_suffix ({suffix})"
        )
    elif not source.hosts:
        yield f"app {source.app_id}: left out, it has no healthy instance"
    elif not accepted.vhost:
        yield f"app {source.app_id}: left out ({listed} listed)"
    else:
        named = f"host group {accepted.group}" if accepted.group else "no host group"
        group = f", in {named}" if rules.routing_tag else ""
        yield f"app {source.app_id}: {len(accepted.hosts)} of {listed} accepted{group}"
    for rejection in accepted.rejected:
        yield f"  {rejection.subject} {rejection.value!r} left out: {rejection.reason}"
    for host in accepted.hosts:
        yield f"  {host.port_type} {host.host}:{host.port}"
    if accepted.tags:
        yield "  tags " + ", ".join(
            f"{key}={value}" for key, value in sorted(accepted.tags.items())
        )


def _merged(app: App) -> Iterator[str]:
    if app.routing_tag_key:
        yield f"Host groups by routing tag {app.routing_tag_key}:"
        for name, group in sorted(app.groups.items()):
            default = " (the default)" if name == app.vhost else ""
            yield f"  {name}{default}: {_count(len(group.hosts), 'server')}"
    if app.tags:
        yield "A template sees the tags:"
        yield from (f"  {key} = {value}" for key, value in sorted(app.tags.items()))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
