"""Find the vhosts because of which a configuration is refused. Pure, except for the checks.

`refusal(topology)` renders and checks, and returns why the result is refused, or an empty string.
The search looks for the first part that is refused together with those before it, by bisection:
about log2(parts) checks for each culprit.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from drove_gateway.model.vocabulary import EMPTY, App, Namespace, Topology

Refusal = Callable[[Topology], Awaitable[str]]

# With 1,000 vhosts, whose check takes 0.1 s: room for five culprits, in about six seconds.
MOST_CHECKS = 64

NOT_SEARCHED = "too much is refused to find every cause at once; it is retried soon"


class Part(msgspec.Struct, frozen=True, order=True):
    """A vhost or a namespace: what a topology can take over from another topology by itself."""

    kind: Literal["namespace", "vhost"]
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "vhost" else f"namespace {self.name}"

    def of(self, topology: Topology) -> App | Namespace | None:
        """Return what `topology` has for it; None where it is absent."""
        if self.kind == "vhost":
            return topology.apps.get(self.name)
        return topology.namespaces.get(self.name)


class BlameResult(msgspec.Struct, frozen=True):
    """The largest part of the new topology that passes, and why each missing part is refused.

    `dropped` are those of `blamed` that the good topology has and `topology` has in no form:
    installing it would end their traffic.
    """

    topology: Topology
    blamed: Mapping[Part, str]
    dropped: tuple[Part, ...] = ()


def parts_that_differ(old: Topology, new: Topology) -> tuple[Part, ...]:
    """Return the parts that differ. Removed parts come first: an added part may conflict with
    them."""
    parts = {
        **dict.fromkeys(Part("vhost", name) for name in old.apps if name not in new.apps),
        **dict.fromkeys(Part("namespace", name) for name in old.namespaces),
        **dict.fromkeys(Part("namespace", name) for name in new.namespaces),
        **dict.fromkeys(Part("vhost", name) for name in new.apps),
    }
    return tuple(part for part in parts if part.of(old) != part.of(new))


def with_parts(base: Topology, new: Topology, parts: Iterable[Part]) -> Topology:
    """Return `base`, with `parts` as they are in `new`."""
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


def with_form(base: Topology, part: Part, form: App | Namespace | None) -> Topology:
    """Return `base`, with `form` in the place of `part`; None leaves it out."""
    if part.kind == "vhost":
        apps = {**base.apps, part.name: form}
        kept = {name: app for name, app in apps.items() if isinstance(app, App)}
        return Topology(apps=kept, namespaces=base.namespaces)
    spaces = {**base.namespaces, part.name: form}
    left = {name: space for name, space in spaces.items() if isinstance(space, Namespace)}
    return Topology(apps=base.apps, namespaces=left)


async def search(
    good: Topology | None,
    new: Topology,
    reason: str,
    refusal: Refusal,
    *,
    most_checks: int = MOST_CHECKS,
    may_empty: bool = True,
) -> BlameResult | None:
    """Find the largest part of `new` that passes, when `new` is refused for `reason`.

    What changed since `good` is searched first. Where `good` itself is refused by now, every part
    of `new` is searched; a culprit is then left as it is in `good` if that passes, and else out.
    None says that not even an empty topology passes, so that no part is to blame; without
    `may_empty` it is not tried. Parts that `most_checks` do not reach are treated as culprits.
    """
    attempt = _Search(new, reason, refusal, most_checks)
    if good is not None and not await refusal(good):
        return await attempt.beside(good)
    bases = (Topology(apps={}, namespaces=new.namespaces), EMPTY) if may_empty else ()
    for base in bases:
        if not await refusal(base):
            return await attempt.fall_back(await attempt.beside(base), good or EMPTY)
    return None


class _Search:
    """A search for the parts of `new` that pass; as a whole it is refused for `reason`."""

    def __init__(self, new: Topology, reason: str, refusal: Refusal, most_checks: int) -> None:
        self._new = new
        self._reason = reason
        self._refusal = refusal
        self._checks = most_checks

    async def beside(self, base: Topology) -> BlameResult:
        """Add to `base` every part of `new` that still passes the check."""
        parts: Sequence[Part] = parts_that_differ(base, self._new)
        blamed: dict[Part, str] = {}
        reason = self._reason
        while reason and parts:
            if self._checks <= 0:
                return BlameResult(base, {**blamed, **dict.fromkeys(parts, NOT_SEARCHED)})
            innocent, reason = await self._first_culprit(base, parts, reason)
            base = with_parts(base, self._new, parts[:innocent])
            blamed[parts[innocent]] = reason
            parts = parts[innocent + 1 :]
            reason = await self._check(with_parts(base, self._new, parts)) if parts else ""
        return BlameResult(with_parts(base, self._new, parts), blamed)

    async def fall_back(self, result: BlameResult, good: Topology) -> BlameResult:
        """Take the culprits as they are in `good`, where that passes."""
        topology, dropped = result.topology, []
        for part in result.blamed:
            if part.of(good) is None:
                continue
            same = part.of(good) == part.of(self._new)
            other = with_parts(topology, good, [part])
            if same or await self._check(other):
                dropped.append(part)
            else:
                topology = other
        return BlameResult(topology, result.blamed, tuple(dropped))

    async def _first_culprit(
        self, base: Topology, parts: Sequence[Part], reason: str
    ) -> tuple[int, str]:
        """Return how many of the refused `parts` pass before the first culprit, and why that is
        refused."""
        passing, refused = 0, len(parts)
        while refused - passing > 1:
            middle = (passing + refused) // 2
            refusal = await self._check(with_parts(base, self._new, parts[:middle]))
            if refusal:
                refused, reason = middle, refusal
            else:
                passing = middle
        return passing, reason

    async def _check(self, topology: Topology) -> str:
        if self._checks <= 0:
            return NOT_SEARCHED
        self._checks -= 1
        return await self._refusal(topology)
