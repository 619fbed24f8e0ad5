"""Checks of clocks and of certificates. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from drove_gateway.model.finding import Finding

# The times of responses are whole seconds.
_NOTICEABLE_SECONDS = 3.0
# Drove takes an instance out of its endpoints when its last report is older than 60 s.
_SERIOUS_SECONDS = 30.0
_SOON_DAYS = 30
_VERY_SOON_DAYS = 7


def clocks(differences: Mapping[str, float]) -> Finding:
    """Find controllers whose clocks differ from this machine's, in seconds ahead of it."""
    largest = max((abs(ahead) for ahead in differences.values()), default=0.0)
    return Finding(
        "clock_difference",
        "error" if largest >= _SERIOUS_SECONDS else "warning",
        "Clocks differ between this machine and controllers. Drove takes healthy instances out of "
        "its endpoints when the clocks of controllers and executors differ by a minute.",
        tuple(
            f"{url}: {abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine"
            for url, ahead in differences.items()
            if abs(ahead) >= _NOTICEABLE_SECONDS
        ),
        "Synchronise the clocks with NTP; compare `timedatectl` on each machine.",
    )


def expiring(certificates: Mapping[str, datetime], now: datetime) -> Sequence[Finding]:
    """Find certificates that expired or expire soon, by where they are."""
    soon = {
        name: (end - now).total_seconds() / 86_400
        for name, end in sorted(certificates.items(), key=lambda pair: pair[1])
        if (end - now).days < _SOON_DAYS
    }
    urgent = {name: days for name, days in soon.items() if days < _VERY_SOON_DAYS}
    advice = "Renew the certificate; if it is renewed automatically, check why that did not happen."
    return [
        Finding(
            "certificate_expires",
            "error",
            "TLS connections fail when these certificates expire, or already do.",
            tuple(f"{name}: {_when(days)}" for name, days in urgent.items()),
            advice,
        ),
        Finding(
            "certificate_expires",
            "warning",
            "These certificates expire within a month.",
            tuple(f"{name}: {_when(days)}" for name, days in soon.items() if name not in urgent),
            advice,
        ),
    ]


def _when(days: float) -> str:
    return f"expired {-days:.0f} days ago" if days < 0 else f"expires in {days:.0f} days"
