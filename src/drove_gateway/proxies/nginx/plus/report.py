"""What the driver says of its upstreams, in health and in the reasons of its wakes."""

from collections.abc import Collection, Sequence

from drove_gateway.model.health import HealthSection
from drove_gateway.proxies.nginx.plus.kept import KeptUpstream

_MOST_NAMED = 3


def upstream_section(upstreams: Collection[KeptUpstream]) -> HealthSection:
    """Healthy while nothing is known to be wrong with any upstream."""
    problems = [f"{one.name}: {one.problem}" for one in upstreams if one.problem]
    if not problems:
        return HealthSection()
    return HealthSection(
        healthy=False,
        message=f"{len(problems)} of {len(upstreams)} upstreams are not as they should be: "
        f"{listed(problems)}",
    )


def listed(texts: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = len(texts) - _MOST_NAMED
    return "; ".join(texts[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
