"""The small losses that are believed without a reason, counted over a sliding window. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import msgspec

WINDOW_SECONDS = 300.0
"""For how long a loss counts, so that a little less with every response adds up."""

Loss: TypeAlias = tuple[str, str]
"""A namespace and a vhost that lose servers."""

Losses: TypeAlias = Mapping[Loss, int]
"""How many servers would leave."""


class GuardLimits(msgspec.Struct, frozen=True):
    """How much may be lost without a reason, and how long the rest is held.

    `vhost`, `namespace` and `overall` are shares of servers within `WINDOW_SECONDS`; a loss below
    all of them is small, and so is a loss of up to `exempt` servers. The last servers of a vhost
    are never a small loss. A server that has been missing for `hold` seconds, in several
    responses, is believed gone.
    """

    vhost: float
    namespace: float
    overall: float
    exempt: int
    hold: float


class Sizes(msgspec.Struct, frozen=True):
    """The servers in traffic now: of each vhost concerned, of each namespace, and of all.

    `left` is how many servers of each vhost concerned would stay.
    """

    vhosts: Mapping[str, int]
    namespaces: Mapping[str, int]
    overall: int
    left: Mapping[str, int]


class Departure(msgspec.Struct, frozen=True):
    """Servers that left as a small loss, at a monotonic time."""

    at: float
    namespace: str
    vhost: str
    servers: int


class Budget(msgspec.Struct, frozen=True):
    """The small losses within the window, oldest first."""

    departures: tuple[Departure, ...] = ()

    def at(self, now: float) -> "Budget":
        """Return the budget without the losses that no longer count."""
        kept = tuple(each for each in self.departures if each.at > now - WINDOW_SECONDS)
        return self if len(kept) == len(self.departures) else Budget(kept)

    def spent(self, losses: Losses, now: float) -> "Budget":
        """Return the budget after `losses`."""
        more = (Departure(now, name, vhost, count) for (name, vhost), count in losses.items())
        return Budget((*self.departures, *more))

    def refused(self, losses: Losses, sizes: Sizes, limits: GuardLimits) -> Mapping[Loss, str]:
        """Return which of `losses` are not small, each with the reason."""
        earlier = self.departures
        vhosts = _Share(
            _sums((vhost, count) for (_, vhost), count in losses.items()),
            _sums((each.vhost, each.servers) for each in earlier),
            sizes.vhosts,
        )
        namespaces = _Share(
            _sums((name, count) for (name, _), count in losses.items()),
            _sums((each.namespace, each.servers) for each in earlier),
            sizes.namespaces,
        )
        overall = _Share(
            {"": sum(losses.values())},
            {"": sum(each.servers for each in earlier)},
            {"": sizes.overall},
        )
        found = {}
        for name, vhost in losses:
            why = (
                ("" if sizes.left[vhost] else "these are the last servers of the vhost")
                or overall.excess("", limits.overall, limits.exempt, "all namespaces")
                or namespaces.excess(name, limits.namespace, limits.exempt, "the namespace")
                or vhosts.excess(vhost, limits.vhost, limits.exempt, "the vhost")
            )
            if why:
                found[name, vhost] = why
        return found


class _Share(msgspec.Struct, frozen=True):
    """Servers by vhost or by namespace: those that would leave now, that left, and present."""

    now: Mapping[str, int]
    earlier: Mapping[str, int]
    present: Mapping[str, int]

    def excess(self, name: str, share: float, exempt: int, whose: str) -> str:
        """Return why the loss is not small, or an empty string."""
        lost = self.now[name] + self.earlier.get(name, 0)
        whole = self.present[name] + self.earlier.get(name, 0)
        if lost <= exempt or lost < share * whole:
            return ""
        return f"{lost} of {whole} servers of {whose} would leave without a reason"


def _sums(counts: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: Counter[str] = Counter()
    for name, count in counts:
        sums[name] += count
    return dict(sums)
