"""How long to wait after failures in a row. Pure."""

# 2**60 seconds are longer than any limit, and far from what a float cannot hold.
_MOST_DOUBLINGS = 60


def backoff(failures: int, *, first: float, longest: float) -> float:
    """Return the seconds to wait after `failures` failures in a row.

    The wait is `first` after one failure and doubles with each further failure, up to `longest`.
    """
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return min(longest, first * 2.0**doublings)
