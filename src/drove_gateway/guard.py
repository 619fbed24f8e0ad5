"""The mass-withdrawal guard: what an answer adds is taken at once, what it lacks is weighed. Pure.

A controller that has just become leader answers 200 before it knows all its instances, and a
swallowed read error answers with an empty list ("Drove's controllers"). Taken at its word, such an
answer takes routes away from traffic. So an answer that lacks too much is held: what it lacks
stays as it was, until it lasted long enough to be believed, or somebody accepts it. An app whose
entry cannot be read keeps its last good form until it can be.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from drove_gateway.changed import changed
from drove_gateway.model import AppEndpoints, Host, Snapshot

# One answer that lasts is one answer; "several" is what a lasting loss must have been seen in.
_LEAST_ANSWERS = 3
_MOST_NAMED = 20
# A new leader knows all its instances after this time ("Drove's controllers": about 90 s).
_RECOVERY_SECONDS = 90.0


class Limits(msgspec.Struct, frozen=True):
    """What is too much at once.

    A share of the servers (of a vhost, of a namespace, of all namespaces) that would be lost, net
    of what the same answer adds, is held from this share on; a loss of up to `exempt` servers
    never is, unless the answer is empty. After `hold` seconds in several answers it is believed.
    """

    vhost: float
    namespace: float
    overall: float
    exempt: int
    hold: float


class Missing(msgspec.Struct, frozen=True):
    """Since when (monotonic seconds), and in how many answers, a server has been lacking."""

    since: float
    answers: int = 1


Server = tuple[str, Host]
"""A server as the guard tells them apart: the id of its app, and where it listens."""


class Held(msgspec.Struct, frozen=True):
    """A withdrawal that is held: how much of what, why, and for how long at most, in seconds."""

    namespace: str
    reason: str
    servers: int
    vhosts: tuple[str, ...]
    remaining: float


class Watched(msgspec.Struct, frozen=True):
    """What the guard remembers of a namespace: what it let through, and what lacks since when."""

    accepted: Snapshot | None = None
    missing: Mapping[Server, Missing] = msgspec.field(default_factory=dict)


class Judged(msgspec.Struct, frozen=True):
    """`watched.accepted` is what to apply; `held` what was kept in it against the answer."""

    watched: Watched
    held: Held | None = None


def judge(
    watched: Watched,
    answer: Snapshot,
    *,
    now: float,
    limits: Limits,
    servers_elsewhere: Callable[[], int] = lambda: 0,
    accept: bool = False,
) -> Judged:
    """Weigh `answer` against what was accepted before.

    `servers_elsewhere` counts the servers of the other namespaces, for the overall share;
    `accept` takes the answer as it is.
    """
    before = watched.accepted
    if before is None or accept or before.apps is answer.apps:
        return Judged(Watched(answer))
    lacking = dict(_lacking(before.apps, answer.apps))
    if not lacking:
        return Judged(Watched(answer))
    missing = {server: _seen(watched.missing.get(server), now) for server in lacking}
    doubts = _doubts(before, answer, lacking, limits, servers_elsewhere)
    unreadable = {one.app_id for one in answer.rejected if one.subject == "app"}
    kept = {
        server: why
        for server, vhost in lacking.items()
        if (why := doubts.get(vhost) or doubts.get(""))
        and not _believed(missing[server], now, answer, limits)
    }
    kept |= {
        (app_id, host): f"the controller's entry of app {app_id} cannot be read"
        for app_id, host in lacking
        if app_id in unreadable
    }
    if not kept:
        return Judged(Watched(answer))
    return Judged(
        Watched(_with_kept(before, answer, kept), {server: missing[server] for server in kept}),
        _held(answer, kept, lacking, missing, now, limits),
    )


def _lacking(
    before: Sequence[AppEndpoints], after: Sequence[AppEndpoints]
) -> Iterator[tuple[Server, str]]:
    """The servers that `before` has and `after` lacks, with their vhosts."""
    had, has = changed(before, after)
    present = {app.app_id: app for app in has}
    for app in had:
        now = present.get(app.app_id)
        if now is app:
            continue
        hosts = frozenset(now.hosts) if now is not None and _vhost(now) == _vhost(app) else ()
        for host in app.hosts:
            if host not in hosts:
                yield (app.app_id, host), _vhost(app)


def _doubts(
    before: Snapshot,
    answer: Snapshot,
    lacking: Mapping[Server, str],
    limits: Limits,
    servers_elsewhere: Callable[[], int],
) -> dict[str, str]:
    """Why what lacks is doubted, by vhost; under "" what concerns the whole answer."""
    if answer.settling:
        return {"": "the leader is new and may not know all its instances yet"}
    if len(lacking) <= limits.exempt and any(app.hosts for app in answer.apps):
        return {}
    had, has = _servers_by_vhost(before), _servers_by_vhost(answer)
    if not has:
        return {"": "the answer is suddenly empty"}
    losses = {vhost: had[vhost] - has.get(vhost, 0) for vhost in set(lacking.values())}
    losses = {vhost: loss for vhost, loss in losses.items() if loss > 0}
    loss, total = sum(losses.values()), sum(had.values())
    if loss > limits.exempt:
        if loss >= limits.namespace * total:
            return {"": f"{loss} of the namespace's {total} servers would go at once"}
        everywhere = total + servers_elsewhere()
        if loss >= limits.overall * everywhere:
            return {"": f"{loss} of all {everywhere} servers would go at once"}
    return {
        vhost: f"{loss} of the vhost's {had[vhost]} servers would go at once"
        for vhost, loss in losses.items()
        if loss > limits.exempt and loss >= limits.vhost * had[vhost]
    }


def _servers_by_vhost(snapshot: Snapshot) -> dict[str, int]:
    counts: dict[str, int] = {}
    for app in snapshot.apps:
        if app.hosts:
            vhost = _vhost(app)
            counts[vhost] = counts.get(vhost, 0) + len(app.hosts)
    return counts


def _vhost(app: AppEndpoints) -> str:
    return app.vhost.lower()


def _seen(known: Missing | None, now: float) -> Missing:
    return Missing(now) if known is None else Missing(known.since, known.answers + 1)


def _believed(missing: Missing, now: float, answer: Snapshot, limits: Limits) -> bool:
    """A loss that lasts is believed; while leaders are new, when no recovery takes so long."""
    hold = max(limits.hold, _RECOVERY_SECONDS) if answer.settling else limits.hold
    return missing.answers >= _LEAST_ANSWERS and now - missing.since >= hold


def _with_kept(before: Snapshot, answer: Snapshot, kept: Mapping[Server, str]) -> Snapshot:
    """`answer` with the kept servers back in their apps, and apps that it lacks at the end."""
    hosts: dict[str, list[Host]] = {}
    for app_id, host in kept:
        hosts.setdefault(app_id, []).append(host)
    earlier = {app.app_id: app for app in before.apps if app.app_id in hosts}
    apps = [
        _joined(app, earlier[app.app_id], hosts.pop(app.app_id))
        if app.app_id in hosts and _vhost(app) == _vhost(earlier[app.app_id])
        else app
        for app in answer.apps
    ]
    apps += [
        _joined(msgspec.structs.replace(earlier[app_id], hosts=()), earlier[app_id], back)
        for app_id, back in hosts.items()
    ]
    return msgspec.structs.replace(answer, apps=tuple(apps))


def _joined(now: AppEndpoints, earlier: AppEndpoints, back: list[Host]) -> AppEndpoints:
    app = msgspec.structs.replace(now, hosts=(*now.hosts, *back))
    same = app.tags == earlier.tags and _vhost(app) == _vhost(earlier)
    return earlier if same and frozenset(app.hosts) == frozenset(earlier.hosts) else app


def _held(
    answer: Snapshot,
    kept: Mapping[Server, str],
    lacking: Mapping[Server, str],
    missing: Mapping[Server, Missing],
    now: float,
    limits: Limits,
) -> Held:
    vhosts = sorted({lacking[server] for server in kept})
    eldest = min(missing[server].since for server in kept)
    return Held(
        namespace=answer.namespace,
        reason="; ".join(sorted(set(kept.values()))[:_MOST_NAMED]),
        servers=len(kept),
        vhosts=tuple(vhosts[:_MOST_NAMED]),
        remaining=max(0.0, eldest + limits.hold - now),
    )
