"""The mass-withdrawal guard: additions pass at once, missing servers are weighed. Pure.

A controller that has just become leader responds with 200 before it knows all its instances, and
after a read error it responds with an empty list ("Drove's controllers"). Such a response,
believed, would remove routes that still serve traffic. So a withdrawal of too many servers is put
on hold: the missing servers keep their traffic until they have been missing for long enough, or an
operator accepts the withdrawal. An app whose entry cannot be read keeps its last good form.

Servers that a new leader does not list are held for longer, because it may not know them yet. But
no vhost keeps more servers than it had before the take-over: where others came in their place they
were replaced, and servers that ended must not pile up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from drove_gateway.model.drove_facts import SETTLING_SECONDS
from drove_gateway.model.identity_diff import identity_diff
from drove_gateway.model.vocabulary import AppEndpoints, Host, Snapshot
from drove_gateway.model.wording import first_and_more

# A loss must be seen in several responses: a single response may be wrong however old it is.
_LEAST_RESPONSES = 3
_MOST_NAMED = 20
# A server that a new leader has listed once may be missing again until its executor reports to it
# (about 30 s).
_REPORT_SECONDS = 40.0


class GuardLimits(msgspec.Struct, frozen=True):
    """How much may be lost at once.

    `vhost`, `namespace` and `overall` are shares of servers. A loss of this share or more, net of
    what the same response adds, is put on hold; a loss of up to `exempt` servers never is, unless
    the response is empty. After `hold` seconds, in several responses, the loss is believed.
    """

    vhost: float
    namespace: float
    overall: float
    exempt: int
    hold: float


class MissingServer(msgspec.Struct, frozen=True):
    """Since when (monotonic seconds), and in how many responses, a server has been missing.

    `listed` says that the leader has listed it since it took over.
    """

    since: float
    responses: int = 1
    listed: bool = False


Server = tuple[str, Host]
"""A server's identity to the guard: the id of its app, and where it listens."""


class Doubt(msgspec.Struct, frozen=True):
    """Why a loss is not believed yet, and for how many seconds it has to last."""

    reason: str
    hold: float


class HeldWithdrawal(msgspec.Struct, frozen=True):
    """A withdrawal on hold: which servers, why, and for how many more seconds at most."""

    namespace: str
    reason: str
    servers: int
    vhosts: tuple[str, ...]
    remaining: float


class GuardMemory(msgspec.Struct, frozen=True):
    """What was accepted of a namespace, and since when each server has been missing.

    While the leader is settling, `sizes` has the number of servers of each vhost before it took
    over.
    """

    accepted: Snapshot | None = None
    missing: Mapping[Server, MissingServer] = msgspec.field(default_factory=dict)
    sizes: Mapping[str, int] = msgspec.field(default_factory=dict)


class Verdict(msgspec.Struct, frozen=True):
    """The guard's decision: `memory.accepted` is what to apply, `held` what it keeps on hold."""

    memory: GuardMemory
    held: HeldWithdrawal | None = None


def judge(
    memory: GuardMemory,
    response: Snapshot,
    *,
    now: float,
    limits: GuardLimits,
    servers_elsewhere: Callable[[], int] = lambda: 0,
    accept: bool = False,
) -> Verdict:
    """Weigh `response` against what was accepted before.

    `servers_elsewhere` counts the servers of the other namespaces, for the overall share;
    `accept` applies the response as it is.
    """
    before = memory.accepted
    sizes = _sizes(memory, response)
    if before is None or accept or before.apps is response.apps:
        return Verdict(GuardMemory(response, sizes=sizes))
    absent = dict(_absent(before.apps, response.apps))
    if not absent:
        return Verdict(GuardMemory(response, sizes=sizes))
    same_term = before.settling_until == response.settling_until
    missing = {server: _seen(memory.missing.get(server), now, same_term) for server in absent}
    doubts = _doubts(before, response, absent, limits, servers_elsewhere)
    room = _room(absent.values(), before, response, sizes)
    kept = _kept(absent, missing, now, doubts, room, limits)
    unreadable = {rejection.app_id for rejection in response.rejected if rejection.subject == "app"}
    kept |= {
        (app_id, host): Doubt(f"the controller's entry of app {app_id} cannot be read", limits.hold)
        for app_id, host in absent
        if app_id in unreadable
    }
    if not kept:
        return Verdict(GuardMemory(response, sizes=sizes))
    still = {server: missing[server] for server in kept}
    return Verdict(
        GuardMemory(_with_kept(before, response, kept), still, sizes),
        _held(response, kept, absent, still, now),
    )


def _sizes(memory: GuardMemory, response: Snapshot) -> Mapping[str, int]:
    """How many servers each vhost had when the settling leader took over; none while none is."""
    before = memory.accepted
    if not response.settling or before is None:
        return {}
    if before.settling_until == response.settling_until:
        return memory.sizes
    return _servers_by_vhost(before)


def _absent(
    before: Sequence[AppEndpoints], after: Sequence[AppEndpoints]
) -> Iterator[tuple[Server, str]]:
    """Return the servers of `before` that are missing in `after`, with their vhosts."""
    had, has = identity_diff(before, after)
    present = {app.app_id: app for app in has}
    for app in had:
        now = present.get(app.app_id)
        if now is app:
            continue
        hosts = frozenset(now.hosts) if now is not None and now.vhost == app.vhost else ()
        for host in app.hosts:
            if host not in hosts:
                yield (app.app_id, host), app.vhost


def _doubts(
    before: Snapshot,
    response: Snapshot,
    absent: Mapping[Server, str],
    limits: GuardLimits,
    servers_elsewhere: Callable[[], int],
) -> dict[str, str]:
    """Return why missing servers are doubted, by vhost; under "" the whole response."""
    if len(absent) <= limits.exempt and any(app.hosts for app in response.apps):
        return {}
    had, has = _servers_by_vhost(before), _servers_by_vhost(response)
    if not has:
        return {"": "the response is suddenly empty"}
    losses = {vhost: had[vhost] - has.get(vhost, 0) for vhost in set(absent.values())}
    losses = {vhost: loss for vhost, loss in losses.items() if loss > 0}
    loss, total = sum(losses.values()), sum(had.values())
    if loss > limits.exempt:
        if loss >= limits.namespace * total:
            return {"": f"{loss} of the namespace's {total} servers would leave at once"}
        everywhere = total + servers_elsewhere()
        if loss >= limits.overall * everywhere:
            return {"": f"{loss} of all {everywhere} servers would leave at once"}
    return {
        vhost: f"{loss} of the vhost's {had[vhost]} servers would leave at once"
        for vhost, loss in losses.items()
        if loss > limits.exempt and loss >= limits.vhost * had[vhost]
    }


def _servers_by_vhost(snapshot: Snapshot) -> dict[str, int]:
    counts: dict[str, int] = {}
    for app in snapshot.apps:
        if app.hosts:
            vhost = app.vhost
            counts[vhost] = counts.get(vhost, 0) + len(app.hosts)
    return counts


def _seen(known: MissingServer | None, now: float, same_term: bool) -> MissingServer:
    if known is None:
        return MissingServer(now, listed=same_term)
    return MissingServer(known.since, known.responses + 1, listed=known.listed and same_term)


def _room(
    vhosts: Iterable[str], before: Snapshot, response: Snapshot, sizes: Mapping[str, int]
) -> dict[str, int] | None:
    """Return how many servers each of `vhosts` needs to be as large as before the take-over, or
    as ever since; None when the leader is not settling."""
    if not response.settling:
        return None
    had, has = _servers_by_vhost(before), _servers_by_vhost(response)
    return {name: sizes.get(name, had.get(name, 0)) - has.get(name, 0) for name in set(vhosts)}


def _kept(
    absent: Mapping[Server, str],
    missing: Mapping[Server, MissingServer],
    now: float,
    doubts: Mapping[str, str],
    room: dict[str, int] | None,
    limits: GuardLimits,
) -> dict[Server, Doubt]:
    """The servers that stay, each with what speaks against its loss.

    Under a new leader no vhost keeps more than it had: first servers that the leader never listed,
    then servers that have been missing only for a short time.
    """
    kept: dict[Server, Doubt] = {}
    for server in (
        absent if room is None else sorted(absent, key=lambda server: _age(missing[server]))
    ):
        vhost, loss = absent[server], missing[server]
        doubt = _new_leader(loss) if room is not None and room[vhost] > 0 else None
        if reason := doubts.get(vhost) or doubts.get(""):
            doubt = Doubt(reason, max(limits.hold, doubt.hold if doubt else 0.0))
        if doubt is None or _believed(loss, now, doubt):
            continue
        kept[server] = doubt
        if room is not None:
            room[vhost] -= 1
    return kept


def _age(missing: MissingServer) -> tuple[bool, float]:
    return missing.listed, -missing.since


def _new_leader(missing: MissingServer) -> Doubt:
    return Doubt(
        "the leader is new and may not know all its instances yet",
        _REPORT_SECONDS if missing.listed else SETTLING_SECONDS,
    )


def _believed(missing: MissingServer, now: float, doubt: Doubt) -> bool:
    """Return whether a loss has lasted; it is believed even while leaders keep changing."""
    return missing.responses >= _LEAST_RESPONSES and now - missing.since >= doubt.hold


def _with_kept(before: Snapshot, response: Snapshot, kept: Iterable[Server]) -> Snapshot:
    """Return `response` with the kept servers back in their apps; missing apps come last."""
    hosts: dict[str, list[Host]] = {}
    for app_id, host in kept:
        hosts.setdefault(app_id, []).append(host)
    earlier = {app.app_id: app for app in before.apps if app.app_id in hosts}
    apps = [
        _joined(app, earlier[app.app_id], hosts.pop(app.app_id))
        if app.app_id in hosts and app.vhost == earlier[app.app_id].vhost
        else app
        for app in response.apps
    ]
    apps += [
        _joined(msgspec.structs.replace(earlier[app_id], hosts=()), earlier[app_id], back)
        for app_id, back in hosts.items()
    ]
    return msgspec.structs.replace(response, apps=tuple(apps))


def _joined(now: AppEndpoints, earlier: AppEndpoints, back: list[Host]) -> AppEndpoints:
    app = msgspec.structs.replace(now, hosts=(*now.hosts, *back))
    same = app.tags == earlier.tags and app.vhost == earlier.vhost
    return earlier if same and frozenset(app.hosts) == frozenset(earlier.hosts) else app


def _held(
    response: Snapshot,
    kept: Mapping[Server, Doubt],
    absent: Mapping[Server, str],
    missing: Mapping[Server, MissingServer],
    now: float,
) -> HeldWithdrawal:
    vhosts = sorted({absent[server] for server in kept})
    last = max(missing[server].since + doubt.hold for server, doubt in kept.items())
    return HeldWithdrawal(
        namespace=response.namespace,
        reason=first_and_more(sorted({doubt.reason for doubt in kept.values()}), _MOST_NAMED),
        servers=len(kept),
        vhosts=tuple(vhosts[:_MOST_NAMED]),
        remaining=max(0.0, last - now),
    )
