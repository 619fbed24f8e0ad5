"""What is known to be refused: not tried at every change, but again after a while.

A vhost that is refused for its host's name is right as soon as the name is known, so a refusal is
believed for half a minute only.
"""

from collections.abc import Callable

import msgspec

from drove_gateway.model.errors import CheckRefused
from drove_gateway.model.vocabulary import EMPTY, App, Namespace, Topology
from drove_gateway.proxies.installation.blame import NOT_SEARCHED, Found, Part, taken

_BELIEVED_SECONDS = 30.0
# A name server that fails for a moment must not take a vhost out of traffic.
_DROPPED_AFTER_SECONDS = 60.0
_MOST_NAMED = 5


class _Refusal(msgspec.Struct, frozen=True):
    """The form of a part that is refused, since when (monotonic seconds) and what is said."""

    form: App | Namespace | None
    since: float
    said: str


class Refusals:
    """The culprits of the last searches, and what is made of them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[Part, _Refusal] = {}
        self._dropping_since: float | None = None

    def forget(self) -> None:
        """Try everything at once: something else changed, which may have been the reason."""
        self._known = {}

    def without(self, desired: Topology, good: Topology | None) -> Topology:
        """`desired`, with what is known to be refused as it stands in `good`."""
        now = self._clock()
        believed = [
            part
            for part, known in self._known.items()
            if now - known.since < _BELIEVED_SECONDS and known.form == part.of(desired)
        ]
        return taken(desired, good or EMPTY, believed) if believed else desired

    def note(self, found: Found, desired: Topology, good: Topology | None) -> None:
        """Remember the culprits that were found in `desired`.

        Raises CheckRefused where leaving them out would end traffic too soon: what was good and is
        refused in every form now is most likely what it was, and something else is wrong, such as
        DNS. So it is left out only when that lasts, and only where it is the lesser part.
        """
        now = self._clock()
        if not found.dropped:
            self._dropping_since = None
        elif self._dropping_since is None:
            self._dropping_since = now
        if found.dropped and not self._lasts(found, good or EMPTY):
            raise CheckRefused(_kept(found))
        for part, said in found.blamed.items():
            since = now if said != NOT_SEARCHED else float("-inf")
            self._known[part] = _Refusal(part.of(desired), since, said)

    def settle(self, topology: Topology) -> None:
        """`topology` passed, so nothing that it has is refused."""
        self._known = {
            part: known for part, known in self._known.items() if part.of(topology) != known.form
        }

    def failed(self, desired: Topology, good: Topology | None) -> tuple[tuple[str, str], ...]:
        """The parts of `desired` that are refused and stand as in `good`, each with the reason."""
        return tuple(
            (str(part), _reason(part.of(good or EMPTY), known))
            for part, known in sorted(self._known.items())
            if part.of(desired) == known.form
        )

    def _lasts(self, found: Found, good: Topology) -> bool:
        since = self._dropping_since
        return (
            since is not None
            and self._clock() - since >= _DROPPED_AFTER_SECONDS
            and 2 * len(found.dropped) < len(good.apps) + len(good.namespaces)
            and all(found.blamed[part] != NOT_SEARCHED for part in found.dropped)
        )


def _reason(stands: App | Namespace | None, known: _Refusal) -> str:
    if known.form is None:
        return f"goes on, since the configuration without it is refused: {known.said}"
    if stands is None:
        return f"left out, having no form that is not refused: {known.said}"
    return f"left at its last good form: {known.said}"


def _kept(found: Found) -> str:
    names = ", ".join(str(part) for part in found.dropped[:_MOST_NAMED])
    more = len(found.dropped) - _MOST_NAMED
    return (
        f"{names}{f' and {more} more' if more > 0 else ''} cannot be configured any more, not even "
        "as before; nothing is changed, so that the traffic goes on: "
        f"{found.blamed[found.dropped[0]]}"
    )
