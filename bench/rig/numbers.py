"""What benchmarks make of their samples. Pure; times in seconds."""

import math
from collections.abc import Collection, Mapping, Sequence

import msgspec

STAGES = ("noticed", "fetched", "planned", "applied", "serving")


def percentile(samples: Collection[float], share: float) -> float:
    """The smallest sample that at least `share` (0 to 1) of all samples do not exceed.

    Raises ValueError without samples: nothing was measured, which is not a number.
    """
    if not samples:
        raise ValueError("no samples")
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


class Fit(msgspec.Struct, frozen=True):
    """`cost = factor * size ** exponent`, and how much of the variance that explains (0 to 1)."""

    exponent: float
    factor: float
    explained: float


def power_law(sizes: Sequence[float], costs: Sequence[float]) -> Fit:
    """Fit a straight line through the logarithms. Raises ValueError for fewer than two sizes."""
    if len(set(sizes)) < 2:
        raise ValueError("an exponent needs two sizes")
    xs, ys = [math.log(size) for size in sizes], [math.log(cost) for cost in costs]
    mean_x, mean_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    exponent = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    total = sum((y - mean_y) ** 2 for y in ys)
    missed = sum((y - mean_y - exponent * (x - mean_x)) ** 2 for x, y in zip(xs, ys, strict=True))
    return Fit(
        exponent,
        math.exp(mean_y - exponent * mean_x),
        1 - missed / total if total else 1.0,
    )


class Trace(msgspec.Struct, frozen=True):
    """When a change passed by, on one clock.

    `asked` and `answered` are the first fetch of endpoints after `visible`; `begun` and `ended`
    what the gateway did to the proxy; `converged` the end of all wrong answers.
    """

    visible: float
    asked: float
    answered: float
    begun: float
    ended: float
    converged: float


def stages(trace: Trace) -> Mapping[str, float]:
    """How long each stage took. Together they are the time from visible to converged.

    What ends after traffic is right already, such as reading back, counts up to there.
    """
    marks = [trace.visible]
    for mark in (trace.asked, trace.answered, trace.begun, trace.ended, trace.converged):
        marks.append(max(marks[-1], min(mark, trace.converged)))
    return {name: marks[at + 1] - marks[at] for at, name in enumerate(STAGES)}


def slope_per_hour(samples: Sequence[tuple[float, float]]) -> float:
    """The growth per hour of `(seconds, value)` samples, by least squares."""
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    if not spread:
        return 0.0
    return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread
