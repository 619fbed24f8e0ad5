"""The chart holds what is drawn."""

import re

from bench.rig.chart import Line, chart


def spots(drawn: str) -> list[tuple[float, float]]:
    found = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', drawn)
    return [(float(x), float(y)) for x, y in found]


def test_every_point_is_drawn_and_every_line_named() -> None:
    lines = [Line("a & b", ((1e3, 1.0), (1e4, 20.0))), Line("flat", ((1e3, 3.0), (1e5, 3.0)))]
    drawn = chart("Cost <by> size", "servers", "ms", lines)
    texts = set(re.findall(r">([^<>]+)</text>", drawn))
    names = {"Cost &lt;by&gt; size", "servers", "ms", "a &amp; b", "flat", "1,000", "100,000"}
    assert names <= texts
    assert len(spots(drawn)) == 4


def test_more_is_higher_and_further_right() -> None:
    low, high = spots(chart("t", "x", "y", [Line("l", ((1.0, 1.0), (100.0, 50.0)))]))
    assert low[0] < high[0]
    assert low[1] > high[1]
