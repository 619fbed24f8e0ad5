"""Find what a refused configuration is refused for, and the largest configuration that passes.

First by what the proxy prints: about one trial for each fault, however many vhosts there are. Where
that leads nowhere, by bisection. A vhost has few forms and so gets few trials: the many faults of
one tenant leave the others' changes in place.
"""

from collections.abc import Awaitable, Callable, Mapping

from drove_gateway.model.vocabulary import EMPTY, App, Topology
from drove_gateway.proxies.installation import blame
from drove_gateway.proxies.installation.blame import BlameResult, Part, with_form
from drove_gateway.proxies.installation.forms import MOST_NAMES, Form, forms, names_of
from drove_gateway.proxies.installation.suspects import Refusal, Suspect, clues, suspects

Trial = Callable[[Topology], Awaitable[Refusal | None]]
"""Tries a topology; returns why it is refused, None if it passes."""

MOST_TRIALS = 256
# So many vhosts that only bisection found are tried in smaller forms.
_MOST_REFINED = 8


async def find_culprits(
    good: Topology | None,
    new: Topology,
    refusal: Refusal,
    trial: Trial,
    *,
    most_trials: int = MOST_TRIALS,
    harmless: Topology = EMPTY,
) -> BlameResult | None:
    """Return the largest part of `new` that was found to pass, when `new` is refused.

    None says that no part is to blame, since not even `harmless` passes. That is an empty topology,
    except where a trial serves what it tries: then it is `good`.
    """
    if await trial(harmless):
        return None
    search = _Search(good or EMPTY, new, trial, most_trials)
    rest = await search.follow(refusal)
    if rest is None:
        return search.result(search.topology, {}, ())

    async def reason(topology: Topology) -> str:
        refused = await trial(topology)
        return refused.reason if refused else ""

    bisected = await blame.search(
        good, search.topology, rest.reason, reason, may_empty=harmless is EMPTY
    )
    return await search.refine(bisected) if bisected else None


class _Substituted:
    """A part of the new topology that has another form now, and what led to it."""

    def __init__(self) -> None:
        self.hosts: set[str] = set()
        self.groups: set[str] = set()
        self.tried: list[Form] = []
        self.clue = ""
        self.reason = ""


class _Search:
    """Substitutes suspects in `topology`, until it passes or nothing points to a part any more."""

    def __init__(self, good: Topology, new: Topology, trial: Trial, most_trials: int) -> None:
        self.topology = new
        self._good = good
        self._new = new
        self._trial = trial
        self._left = most_trials
        self._substituted: dict[Part, _Substituted] = {}

    async def follow(self, refusal: Refusal) -> Refusal | None:
        """Follow what refusals point to. Returns the refusal that is left, None when it passes."""
        current: Refusal | None = refusal
        while current is not None:
            pointed = suspects(current, self.topology)
            if self._left <= 0 or not [each for each in pointed if self._substitute(each)]:
                self._put_back(current)
                return current
            self._left -= 1
            current = await self._trial(self.topology)
        return None

    async def refine(self, bisected: BlameResult) -> BlameResult:
        """Serve what bisection found in a form nearer to the new one, where that passes."""
        topology = bisected.topology
        served = set()
        for part in list(bisected.blamed)[:_MOST_REFINED]:
            wanted, good = part.of(self._new), part.of(self._good)
            names = names_of(wanted) if isinstance(wanted, App) else frozenset[str]()
            for form in forms(wanted, good, names):
                if form in (None, part.of(topology)):
                    break
                attempt = with_form(topology, part, form)
                if form != wanted and not await self._trial(attempt):
                    topology = attempt
                    served.add(part)
                    break
        dropped = tuple(part for part in bisected.dropped if part not in served)
        return self.result(topology, bisected.blamed, dropped)

    def result(
        self, topology: Topology, blamed: Mapping[Part, str], dropped: tuple[Part, ...]
    ) -> BlameResult:
        """Return what passes, with everything that was substituted and why."""
        reasons = {part: known.reason for part, known in self._substituted.items()}
        lost = {
            part
            for part in reasons
            if part.of(topology) is None and part.of(self._new) and part.of(self._good)
        }
        return BlameResult(topology, {**reasons, **blamed}, tuple(sorted({*lost, *dropped})))

    def _substitute(self, suspect: Suspect) -> bool:
        """Give the suspect its next form. Returns whether there was one."""
        part, wanted = suspect.part, suspect.part.of(self._new)
        known = self._substituted.setdefault(part, _Substituted())
        known.hosts |= suspect.hosts
        known.groups |= suspect.groups
        if len(known.hosts) > MOST_NAMES and isinstance(wanted, App):
            known.hosts |= names_of(wanted)
        known.clue, known.reason = suspect.clue, suspect.message
        known.tried.append(part.of(self.topology))
        for form in forms(wanted, part.of(self._good), known.hosts, known.groups):
            if form not in known.tried:
                self.topology = with_form(self.topology, part, form)
                return True
        return False

    def _put_back(self, refusal: Refusal) -> None:
        """Put back what was left out without changing what the proxy prints: it is innocent."""
        printed = clues(refusal)
        for part, known in list(self._substituted.items()):
            if part.of(self.topology) is None and known.clue in printed:
                self.topology = with_form(self.topology, part, part.of(self._new))
                del self._substituted[part]
