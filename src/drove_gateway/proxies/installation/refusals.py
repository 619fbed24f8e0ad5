"""Memory of what the proxy refuses: not retried at every change, but after a while.

A vhost that is refused because of its host's name is right as soon as the name is known, so a
refusal is trusted for half a minute only.
"""

from collections.abc import Callable

import msgspec

from drove_gateway.model.errors import CheckRefused
from drove_gateway.model.vocabulary import EMPTY, Topology
from drove_gateway.model.wording import first_and_more
from drove_gateway.proxies.installation.blame import NOT_SEARCHED, BlameResult, Part, with_form
from drove_gateway.proxies.installation.forms import Form, difference

_TRUSTED_SECONDS = 30.0
# A name server that fails for a moment must not take a vhost out of traffic.
_DROPPED_AFTER_SECONDS = 60.0
_MOST_NAMED = 5


class _Refusal(msgspec.Struct, frozen=True):
    """The form of a part that is refused, what is served instead and how that differs, since when
    (monotonic seconds), and the reason."""

    form: Form
    instead: Form
    served: str
    since: float
    reason: str


class Refusals:
    """The culprits of the last searches, and what follows from them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[Part, _Refusal] = {}
        self._dropping_since: float | None = None

    def forget(self) -> None:
        """Retry everything at once: something else changed, which may have been the reason."""
        self._known = {}

    def without(self, desired: Topology) -> Topology:
        """Return `desired`, with what is known to be refused in the form that passed instead."""
        now, topology = self._clock(), desired
        for part, known in self._known.items():
            if now - known.since < _TRUSTED_SECONDS and known.form == part.of(desired):
                topology = with_form(topology, part, known.instead)
        return topology

    def note(self, result: BlameResult, desired: Topology, good: Topology | None) -> None:
        """Remember the culprits that were found in `desired`.

        Raises CheckRefused where leaving them out would end traffic too soon. What was good and is
        now refused in every form has most likely not changed, and something else is wrong, such as
        DNS. So it is left out only when that lasts, and only where it is the smaller part.
        """
        now = self._clock()
        if not result.dropped:
            self._dropping_since = None
        elif self._dropping_since is None:
            self._dropping_since = now
        if result.dropped and not self._lasts(result, good or EMPTY):
            raise CheckRefused(_nothing_dropped(result))
        for part, reason in result.blamed.items():
            since = now if reason != NOT_SEARCHED else float("-inf")
            form, instead = part.of(desired), part.of(result.topology)
            served = difference(instead, form, part.of(good or EMPTY))
            self._known[part] = _Refusal(form, instead, served, since, reason)

    def settle(self, topology: Topology) -> None:
        """Forget the refusals of everything in `topology`, which passed."""
        self._known = {
            part: known for part, known in self._known.items() if part.of(topology) != known.form
        }

    def failed(self, desired: Topology) -> tuple[tuple[str, str], ...]:
        """Return the parts of `desired` that are refused, with what is served and the reason."""
        return tuple(
            (str(part), f"{known.served}: {known.reason}")
            for part, known in sorted(self._known.items())
            if part.of(desired) == known.form
        )

    def _lasts(self, result: BlameResult, good: Topology) -> bool:
        since = self._dropping_since
        return (
            since is not None
            and self._clock() - since >= _DROPPED_AFTER_SECONDS
            and 2 * len(result.dropped) < len(good.apps) + len(good.namespaces)
            and all(result.blamed[part] != NOT_SEARCHED for part in result.dropped)
        )


def _nothing_dropped(result: BlameResult) -> str:
    names = first_and_more([str(part) for part in result.dropped], _MOST_NAMED, separator=", ")
    return (
        f"{names} cannot be configured any more, not even as before; nothing is changed, so that "
        f"traffic continues: {result.blamed[result.dropped[0]]}"
    )
