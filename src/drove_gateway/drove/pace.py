"""How long to wait between calls. Pure; all times are in seconds."""

import msgspec

from drove_gateway.model.backoff import backoff

_JITTER = 0.1

# A failing or slow leader is asked up to four times less often, yet often enough that its
# recovery shows soon.
_MOST_FACTOR = 4.0
_MOST_SECONDS = 10.0


class PollPace(msgspec.Struct, frozen=True):
    """Seconds between pings, between polls of events, and the most between two fetches."""

    ping: float
    events: float
    full_refresh: float


def jittered(seconds: float, chance: float) -> float:
    """`seconds`, up to a tenth more or less by `chance` (0 to 1), so that a fleet spreads."""
    return seconds * (1 + _JITTER * (2 * chance - 1))


def pause(interval: float, *, took: float, failures: int, chance: float) -> float:
    """How long to wait after a poll that took `took`, the last `failures` of which failed.

    The rest of the interval, when all is well. A slow controller gets as long a rest as it took
    to answer, each failure doubles the interval; both have a limit.
    """
    most = max(interval, min(_MOST_FACTOR * interval, _MOST_SECONDS))
    if failures:
        return jittered(backoff(failures, first=2 * interval, longest=most), chance)
    return max(jittered(interval, chance) - took, min(took, most))


def ping_limit(interval: float, api_timeout: float) -> float:
    """How long a ping may take: no longer than fail-over may, yet a second for a busy one."""
    return min(api_timeout, max(1.0, interval))
