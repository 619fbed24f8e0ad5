"""When a change of Drove's was noticed."""

import msgspec


class Noticed(msgspec.Struct, frozen=True):
    """A change was noticed at the monotonic time `at`, `after` seconds after it happened; None if
    the clocks do not allow to say."""

    at: float
    after: float | None = None


class WayIn(msgspec.Struct, frozen=True):
    """How long a change took until it was desired, in seconds; None where it was not measured.

    `noticed` is from the change in Drove to the poll that showed it, `fetched` from there to the
    accepted response.
    """

    noticed: float | None = None
    fetched: float | None = None

    def longest(self, other: "WayIn") -> "WayIn":
        """Return the longer of both, stage by stage."""
        return WayIn(_longer(self.noticed, other.noticed), _longer(self.fetched, other.fetched))


NOT_MEASURED = WayIn()


def way_in(noticed: Noticed | None, now: float) -> WayIn:
    """Return how long a change took that is desired at the monotonic time `now`."""
    if noticed is None:
        return NOT_MEASURED
    return WayIn(noticed.after, max(0.0, now - noticed.at))


def _longer(first: float | None, second: float | None) -> float | None:
    return max((each for each in (first, second) if each is not None), default=None)
