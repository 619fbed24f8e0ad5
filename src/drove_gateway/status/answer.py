"""What a client of a vhost gets, and why: "this is 404 because …". Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from drove_gateway.model.proxy import ServerState
from drove_gateway.model.wording import count_of, first_and_more
from drove_gateway.status.problems import accept_command
from drove_gateway.status.status import Status
from drove_gateway.topology.namespace_build import HTTP, AcceptedApp, NamespaceBuild

_MOST_NAMED = 3
_CHECK = "drove-gateway check --diff"


class Answer(msgspec.Struct, frozen=True):
    """The sentence, whether the vhost is served, and what helps, which may be empty."""

    sentence: str
    served: bool
    helps: str = ""


def answer(status: Status, vhost: str, present: Sequence[ServerState] | None) -> Answer:
    """Return what a client of `vhost` gets. `present` are the proxy's servers, if it tells."""
    applied, wanted = status.applied.apps.get(vhost), status.built.topology.apps.get(vhost)
    if applied is not None and applied.hosts:
        return _no_http(status, vhost) or _served(status, vhost, present)
    if vhost in status.built.leader_vhosts:
        return _leader(status, vhost)
    if wanted is not None:
        return _as_before(status, present) or _not_applied(status, vhost)
    if applied is not None:
        return Answer(
            "This is 503 because it has no server left.", False, "start an instance on Drove"
        )
    return _unknown(status, vhost)


def _served(status: Status, vhost: str, present: Sequence[ServerState] | None) -> Answer:
    if present is not None and not any(server.up for server in present):
        states = [f"{server.address} is {server.state}" for server in present]
        why = first_and_more(states, _MOST_NAMED, separator=", ") or "the proxy has no server of it"
        return Answer(
            f"This is 503 because no server is up: {why}.",
            False,
            "check the instances and their health checks on Drove",
        )
    if vhost not in status.built.topology.apps:
        sentence = "It is served, although Drove does not list it: it is about to be removed."
        return Answer(sentence, True)
    if why := _refused(status, vhost):
        return Answer(f"It is served as it was before; the change is refused: {why}", True, _CHECK)
    if any(vhost in held.vhosts for held in status.held):
        return Answer(
            "It is served, with servers on hold that Drove no longer lists.",
            True,
            accept_command(vhost),
        )
    return Answer("It is served.", True)


def _no_http(status: Status, vhost: str) -> Answer | None:
    hosts = status.applied.apps[vhost].hosts
    if any(host.port_type in HTTP for host in hosts):
        return None
    return Answer(
        "This is 404 because its hosts are only tcp or udp, which the shipped templates do not "
        "serve.",
        False,
        "expose an HTTP port on Drove",
    )


def _leader(status: Status, vhost: str) -> Answer:
    namespace = status.built.leader_vhosts[vhost]
    leader = status.built.topology.namespaces[namespace].leader.endpoint
    if leader:
        return Answer(f"It is served by the leading controller, {leader}.", True)
    return Answer(
        f"This is 503 because no controller of namespace {namespace} leads.",
        False,
        "check the controllers",
    )


def _as_before(status: Status, present: Sequence[ServerState] | None) -> Answer | None:
    """What the proxy served before the gateway started, which nothing has changed since."""
    if any(server.up for server in present or ()):
        return Answer("It is served as before; its change is not applied yet.", True)
    leaderless = status.namespaces and not any(view.healthy for view in status.namespaces)
    if leaderless and not status.history and present is None:
        sentence = "It is served as the proxy's file has it; nothing has been applied yet."
        return Answer(sentence, True)
    return None


def _not_applied(status: Status, vhost: str) -> Answer:
    if why := _refused(status, vhost) or status.progress.error:
        return Answer(f"This is 404 because its change cannot be applied: {why}", False, _CHECK)
    return Answer("This is 404 until the change is applied.", False)


def _refused(status: Status, vhost: str) -> str:
    """Why the last attempt could not bring the vhost up to date, or nothing."""
    return dict(status.history[0].failed).get(vhost, "") if status.history else ""


def _unknown(status: Status, vhost: str) -> Answer:
    for part in status.built.parts.values():
        for cause, helps in _left_out(part, vhost):
            return Answer(f"This is 404 because {cause}.", False, helps)
    if silent := [view.name for view in status.namespaces if view.name not in status.built.parts]:
        names = ", ".join(silent)
        return Answer(
            f"This is 404 because no controller of {names} has responded yet, so that its apps "
            "are not known.",
            False,
            "drove-gateway status",
        )
    return Answer(
        "This is 404 because no controller lists an app with this vhost.",
        False,
        "check the vhost of the app's exposure on Drove",
    )


def _left_out(part: NamespaceBuild, vhost: str) -> Iterator[tuple[str, str]]:
    """Why each app of the vhost contributes nothing, and what helps."""
    for app in part.accepted_apps.values():
        if app.source.vhost == vhost:
            yield _why(app, part)


def _why(app: AcceptedApp, part: NamespaceBuild) -> tuple[str, str]:
    name = f"app {app.source.app_id} of namespace {part.rules.namespace}"
    if app.ignored_by_realm:
        return (
            f"{name} is neither in realm nor ends in realm_suffix",
            "extend realm or realm_suffix in nixy.toml, or change the app's vhost",
        )
    if app.rejected:
        first = app.rejected[0]
        cause = f"{name} is rejected: {first.subject} {first.value!r}: {first.reason}"
        return cause, "correct the app on Drove"
    if not app.source.hosts:
        return f"{name} has no healthy instance", "start an instance on Drove, or check its health"
    listed = count_of(len(app.source.hosts), "host")
    return f"{name} is left out, with {listed} listed", "drove-gateway check"
