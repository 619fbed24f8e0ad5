"""How far a controller's clock is ahead of this machine's, so that an event's time can be compared
with ours. Pure; times are Unix seconds.

A response's `Date` is the controller's time in whole seconds, and the response was made between
request and receipt. Each response therefore limits the offset to an interval a little wider than a
second, and many responses limit it to a much narrower interval.
"""

import math
from typing import Self

import msgspec

# Clocks of machines run apart by less, in seconds per second.
_DRIFT = 1e-4
# Below this, the offset is known well enough to say how long something took.
_PRECISE_SECONDS = 0.25


class ClockOffset(msgspec.Struct, frozen=True):
    """The offset is between `low` and `high`, in seconds, as of our time `at`."""

    low: float = -math.inf
    high: float = math.inf
    at: float = 0.0

    def narrowed(self, date: float, requested: float, received: float) -> Self:
        """Add a response with the whole second `date`, which was requested and received then."""
        low, high = date - received, date + 1.0 - requested
        drift = _DRIFT * max(0.0, received - self.at)
        both = max(low, self.low - drift), min(high, self.high + drift)
        if both[0] > both[1]:
            # One of the clocks was set.
            return type(self)(low, high, received)
        return type(self)(*both, received)

    def seconds_since(self, time: float, now: float) -> float | None:
        """Return how long ago the controller's `time` was, at our `now`; None if the clocks do not
        allow to say."""
        if self.high - self.low > _PRECISE_SECONDS:
            return None
        return max(0.0, now + (self.low + self.high) / 2 - time)
