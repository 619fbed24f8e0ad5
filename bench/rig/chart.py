"""Charts as SVG, with nothing but text."""

import math
from collections.abc import Sequence
from html import escape

import msgspec

_WIDTH, _HEIGHT = 760, 440
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 40, 230, 50
_COLOURS = ("#0b6e99", "#c2410c", "#4d7c0f", "#7e22ce", "#b91c1c", "#0f766e", "#a16207")


class Line(msgspec.Struct, frozen=True):
    """Points that belong together. Both coordinates are more than 0."""

    name: str
    points: tuple[tuple[float, float], ...]


def chart(title: str, x_name: str, y_name: str, lines: Sequence[Line]) -> str:
    """A chart with both axes logarithmic, marked at powers of ten."""
    xs = _decades([x for line in lines for x, _ in line.points])
    ys = _decades([y for line in lines for _, y in line.points])
    box = f'viewBox="0 0 {_WIDTH} {_HEIGHT}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>',
        *_grid(xs, ys),
        f'<text x="{_LEFT}" y="{_HEIGHT - 12}">{escape(x_name)}</text>',
        f'<text transform="translate(16 {_HEIGHT - _BOTTOM}) rotate(-90)">{escape(y_name)}</text>',
        *(part for number, line in enumerate(lines) for part in _drawn(number, line, xs, ys)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _decades(values: Sequence[float]) -> range:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return range(low, max(high, low + 1) + 1)


def _grid(xs: range, ys: range) -> list[str]:
    low, high = 10.0 ** ys[0], 10.0 ** ys[-1]
    first, last = 10.0 ** xs[0], 10.0 ** xs[-1]
    upright = [(_at(10.0**x, low, xs, ys), _at(10.0**x, high, xs, ys)) for x in xs]
    level = [(_at(first, 10.0**y, xs, ys), _at(last, 10.0**y, xs, ys)) for y in ys]
    parts = [
        f'<path d="M{a[0]:.1f} {a[1]:.1f}L{b[0]:.1f} {b[1]:.1f}" stroke="#ddd"/>'
        for a, b in (*upright, *level)
    ]
    parts += [
        f'<text x="{at[0]:.1f}" y="{at[1] + 18:.1f}" text-anchor="middle">{10.0**x:,g}</text>'
        for x, (at, _) in zip(xs, upright, strict=True)
    ]
    return parts + [
        f'<text x="{at[0] - 8:.1f}" y="{at[1] + 4:.1f}" text-anchor="end">{10.0**y:,g}</text>'
        for y, (at, _) in zip(ys, level, strict=True)
    ]


def _drawn(number: int, line: Line, xs: range, ys: range) -> list[str]:
    colour = _COLOURS[number % len(_COLOURS)]
    spots = [_at(x, y, xs, ys) for x, y in line.points]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y in spots)
    key = _TOP + 16 + 20 * number
    left = _WIDTH - _RIGHT + 16
    return [
        f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in spots),
        f'<path d="M{left} {key - 4}h22" stroke="{colour}" stroke-width="2"/>',
        f'<text x="{left + 28}" y="{key}">{escape(line.name)}</text>',
    ]


def _at(x: float, y: float, xs: range, ys: range) -> tuple[float, float]:
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
    across = (math.log10(x) - xs[0]) / (xs[-1] - xs[0])
    up = (math.log10(y) - ys[0]) / (ys[-1] - ys[0])
    return _LEFT + across * width, _HEIGHT - _BOTTOM - up * height
