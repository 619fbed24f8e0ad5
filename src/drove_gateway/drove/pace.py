"""How long to wait between calls. Pure; all times are in seconds."""

import msgspec

from drove_gateway.model.backoff import backoff

_JITTER = 0.1

# A failing or slow leader is asked up to four times less often, yet often enough that its
# recovery shows soon.
_MOST_FACTOR = 4.0
_MOST_SECONDS = 10.0


# Deployments come in bursts: so long after a change the next is expected soon.
BURST_SECONDS = 15.0


class PollPace(msgspec.Struct, frozen=True):
    """Seconds between pings, between polls of events, and the most between two full fetches.

    `burst` is the interval between polls for some seconds after a change; never longer than
    `events`.
    """

    ping: float
    events: float
    full_refresh: float
    burst: float

    def interval(self, *, bursting: bool, took: float, failures: int) -> float:
        """Return the seconds between two polls. `bursting` says that a change was just seen.

        A controller that took longer than the burst's interval, or failed, is asked at the normal
        interval.
        """
        burst = min(self.burst, self.events)
        return burst if bursting and not failures and took < burst else self.events


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
