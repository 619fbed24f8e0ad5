"""From the servers that an upstream has to those that it should have. Pure.

Order: what gives capacity comes first (servers made ready again, added, changed), then what takes
it (drained, deleted). What an operator set by hand stays: `down`, `drain`, `weight`, `max_conns`,
`route`, and servers that are `backup` or that NGINX's resolver made.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Literal

import msgspec

from drove_gateway.model.plan import Step
from drove_gateway.proxies.nginx.plus.wire import Server, canonical, milliseconds

Kind = Literal["ready", "add", "change", "drain", "delete"]


class Parameters(msgspec.Struct, frozen=True):
    """The failure parameters of every server; times in NGINX's syntax ("10s")."""

    max_fails: int
    fail_timeout: str
    slow_start: str


class Action(msgspec.Struct, frozen=True):
    """One call that changes an upstream. `id` is None for a server that is not there yet."""

    kind: Kind
    server: str
    reason: str
    id: int | None = None
    fields: tuple[tuple[str, int | str], ...] = ()

    def step(self, upstream: str) -> Step:
        """The action as a step of the gateway's plan."""
        return Step(f"{self.kind} server", f"{upstream}/{self.server}", self.reason)


class UpstreamPlan(msgspec.Struct, frozen=True):
    """What to do with an upstream. `leaving` holds the unwanted servers, draining or about to."""

    actions: tuple[Action, ...] = ()
    leaving: tuple[Server, ...] = ()


def plan_upstream(
    wanted: Sequence[str],
    observed: Iterable[Server],
    parameters: Parameters,
    *,
    ours: Collection[str] = (),
    drain_first: bool = True,
) -> UpstreamPlan:
    """Plan the way from `observed` to `wanted`, both by address.

    `ours` are addresses that the gateway put in drain itself: wanted again, they are made ready,
    while any other drain is an operator's. Without `drain_first`, unwanted servers are deleted at
    once; NGINX Plus then still finishes their running requests.
    """
    groups = _by_address(observed)
    give, change, take = [], [], []
    for server in dict.fromkeys(wanted):
        standing = groups.pop(server, [])
        if not standing:
            fields = tuple(msgspec.structs.asdict(parameters).items())
            give.append(Action("add", server, "runs on the cluster", fields=fields))
            continue
        kept, *surplus = sorted(standing, key=lambda one: (one.drain, one.id))
        if kept.drain and server in ours:
            give.append(Action("ready", server, "runs again", kept.id))
        if different := _different(kept, parameters):
            reason = "has other " + ", ".join(name for name, _ in different)
            change.append(Action("change", server, reason, kept.id, different))
        take += [Action("delete", server, "stands twice", one.id) for one in surplus]
    leaving = tuple(one for standing in groups.values() for one in standing)
    take += _removals(leaving, drain_first=drain_first)
    return UpstreamPlan((*give, *change, *take), leaving if drain_first else ())


def _by_address(observed: Iterable[Server]) -> dict[str, list[Server]]:
    groups: dict[str, list[Server]] = {}
    for one in observed:
        if not one.backup and one.parent is None:
            groups.setdefault(canonical(one.server), []).append(one)
    return groups


def _removals(leaving: Iterable[Server], *, drain_first: bool) -> list[Action]:
    reason = "no longer runs on the cluster"
    if not drain_first:
        return [Action("delete", canonical(one.server), reason, one.id) for one in leaving]
    return [
        Action("drain", canonical(one.server), reason, one.id) for one in leaving if not one.drain
    ]


def _different(server: Server, wanted: Parameters) -> tuple[tuple[str, int | str], ...]:
    found: list[tuple[str, int | str]] = []
    if server.max_fails is not None and server.max_fails != wanted.max_fails:
        found.append(("max_fails", wanted.max_fails))
    if not _same_time(server.fail_timeout, wanted.fail_timeout):
        found.append(("fail_timeout", wanted.fail_timeout))
    if not _same_time(server.slow_start, wanted.slow_start):
        found.append(("slow_start", wanted.slow_start))
    return tuple(found)


def _same_time(shown: str | None, wanted: str) -> bool:
    return shown is None or shown == wanted or milliseconds(shown) == milliseconds(wanted)
