"""Which vhosts are to blame that a configuration is refused. Pure, but for the asking.

`refusal(topology)` renders and checks, and gives what is said against it, "" when nothing is. The
search looks for the first part that is refused beside those before it, by bisection: about
log2(parts) checks for each culprit.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from drove_gateway.model.vocabulary import EMPTY, App, Namespace, Topology

Refusal = Callable[[Topology], Awaitable[str]]

# With 1,000 vhosts, whose check takes 0.1 s: room for five culprits, in about six seconds.
MOST_CHECKS = 64

NOT_SEARCHED = "more is refused than could be told apart at once; it is tried again soon"


class Part(msgspec.Struct, frozen=True, order=True):
    """A vhost or a namespace: what a topology can take over from another one by itself."""

    kind: Literal["namespace", "vhost"]
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "vhost" else f"namespace {self.name}"

    def of(self, topology: Topology) -> App | Namespace | None:
        """What `topology` has for it; None where it is absent."""
        if self.kind == "vhost":
            return topology.apps.get(self.name)
        return topology.namespaces.get(self.name)


class Found(msgspec.Struct, frozen=True):
    """The most of the new topology that passes, and what is said against each part it lacks.

    `dropped` are those of `blamed` that the good topology has and `topology` has not in any form:
    taking it would end their traffic.
    """

    topology: Topology
    blamed: Mapping[Part, str]
    dropped: tuple[Part, ...] = ()


def differing(old: Topology, new: Topology) -> tuple[Part, ...]:
    """The parts that differ. What goes comes first: what comes may be in conflict with it."""
    parts = {
        **dict.fromkeys(Part("vhost", name) for name in old.apps if name not in new.apps),
        **dict.fromkeys(Part("namespace", name) for name in old.namespaces),
        **dict.fromkeys(Part("namespace", name) for name in new.namespaces),
        **dict.fromkeys(Part("vhost", name) for name in new.apps),
    }
    return tuple(part for part in parts if part.of(old) != part.of(new))


def taken(base: Topology, new: Topology, parts: Iterable[Part]) -> Topology:
    """`base`, with `parts` as they are in `new`."""
    apps, namespaces = dict(base.apps), dict(base.namespaces)
    for name in (part.name for part in parts if part.kind == "vhost"):
        apps.pop(name, None)
        if name in new.apps:
            apps[name] = new.apps[name]
    for name in (part.name for part in parts if part.kind == "namespace"):
        namespaces.pop(name, None)
        if name in new.namespaces:
            namespaces[name] = new.namespaces[name]
    return Topology(apps=apps, namespaces=namespaces)


async def find(
    good: Topology | None,
    new: Topology,
    said: str,
    refusal: Refusal,
    *,
    most_checks: int = MOST_CHECKS,
) -> Found | None:
    """The way out when `new` is refused, with what is `said` against it.

    What changed since `good` is searched first. Where `good` itself is refused by now, every part
    of `new` is searched; a culprit is then left as `good` has it if that passes, and else out.
    None says that not even an empty topology passes, so that no part is to blame. What
    `most_checks` do not reach is left as culprits are.
    """
    search = _Search(new, said, refusal, most_checks)
    if good is not None and not await refusal(good):
        return await search.beside(good)
    for base in (Topology(apps={}, namespaces=new.namespaces), EMPTY):
        if not await refusal(base):
            return await search.fall_back(await search.beside(base), good or EMPTY)
    return None


class _Search:
    """What passes of `new`, against which something is `said`."""

    def __init__(self, new: Topology, said: str, refusal: Refusal, most_checks: int) -> None:
        self._new = new
        self._said = said
        self._refusal = refusal
        self._checks = most_checks

    async def beside(self, base: Topology) -> Found:
        """As much of `new` as passes beside `base`, which passes."""
        parts: Sequence[Part] = differing(base, self._new)
        blamed: dict[Part, str] = {}
        said = self._said
        while said and parts:
            if self._checks <= 0:
                return Found(base, {**blamed, **dict.fromkeys(parts, NOT_SEARCHED)})
            innocent, said = await self._first(base, parts, said)
            base = taken(base, self._new, parts[:innocent])
            blamed[parts[innocent]] = said
            parts = parts[innocent + 1 :]
            said = await self._ask(taken(base, self._new, parts)) if parts else ""
        return Found(taken(base, self._new, parts), blamed)

    async def fall_back(self, found: Found, good: Topology) -> Found:
        """Culprits as `good` has them, where that passes."""
        topology, dropped = found.topology, []
        for part in found.blamed:
            if part.of(good) is None:
                continue
            same = part.of(good) == part.of(self._new)
            other = taken(topology, good, [part])
            if same or await self._ask(other):
                dropped.append(part)
            else:
                topology = other
        return Found(topology, found.blamed, tuple(dropped))

    async def _first(self, base: Topology, parts: Sequence[Part], said: str) -> tuple[int, str]:
        """How many of `parts`, which are refused, pass before the first culprit; what is said."""
        passes, refused = 0, len(parts)
        while refused - passes > 1:
            middle = (passes + refused) // 2
            answer = await self._ask(taken(base, self._new, parts[:middle]))
            if answer:
                refused, said = middle, answer
            else:
                passes = middle
        return passes, said

    async def _ask(self, topology: Topology) -> str:
        if self._checks <= 0:
            return NOT_SEARCHED
        self._checks -= 1
        return await self._refusal(topology)
