"""The difference of two configurations, line by line, in bounded time and size. Pure.

Configurations have up to hundreds of thousands of lines and differ in a few. What is equal at the
beginning and at the end is skipped at the speed of comparing bytes. The rest is compared by the
greedy algorithm of Myers ("An O(ND) Difference Algorithm", 1986), which costs little where little
differs; beyond a limit the difference is only counted.
"""

from collections.abc import Callable, Iterator, Sequence

from drove_gateway.model.common_text import common_prefix, common_suffix

_MOST_EDITS = 400
_MOST_LINES = 300
_MOST_WHOLE = 100
_CONTEXT = 2
_CHARS_AROUND = 4096
_LONGEST_LINE = 300
# No proxy reads lines that are longer; what is hidden in a line is found before it is cut.
_LONGEST_READ = 4096
_MOST_CHARACTERS = 16 * 1024

Edit = tuple[str, int, int]
"""A line of the comparison: "=", "-" or "+", and the numbers of the line before and after."""


def config_diff(before: str, after: str, hide: Callable[[str], str]) -> str:
    """Return the changed lines with their surroundings, in unified form; empty if none changed.

    `hide` takes the secrets out of each line before it is cut. At most 300 lines are shown, and
    about 16,000 characters. Each piece is headed by the number of its first line, and by the
    section of the configuration that it is in.
    """
    if before == after:
        return ""
    start, first = _start(before, after)
    end = _equal_end(before, after, start)
    old = before[start : len(before) - end].splitlines()
    new = after[start : len(after) - end].splitlines()
    edits = _edits(old, new)
    if edits is None:
        lines = list(_whole(old, new, first))
    else:
        lines = list(_pieces(edits, old, new, first))
    return "\n".join(_bounded(lines, hide))


def _whole(old: Sequence[str], new: Sequence[str], first: int) -> Iterator[str]:
    """The beginnings of texts that are too different to compare."""
    yield f"@@ line {first} @@ {len(old):,} lines became {len(new):,} lines"
    for mark, lines in (("-", old), ("+", new)):
        yield from (f"{mark}{line}" for line in lines[:_MOST_WHOLE])
        if len(lines) > _MOST_WHOLE:
            yield f"… and {len(lines) - _MOST_WHOLE:,} more lines"


def _bounded(lines: Sequence[str], hide: Callable[[str], str]) -> Iterator[str]:
    left = _MOST_CHARACTERS
    for number, line in enumerate(lines):
        if number == _MOST_LINES or left <= 0:
            yield f"… and {len(lines) - number:,} more lines"
            return
        shown = hide(line[:_LONGEST_READ])
        if len(line) > _LONGEST_READ or len(shown) > _LONGEST_LINE:
            shown = f"{shown[:_LONGEST_LINE]}…"
        left -= len(shown)
        yield shown


def _start(before: str, after: str) -> tuple[int, int]:
    """Where the comparison begins, some lines before the first difference, and that line's
    number."""
    common = common_prefix(before, after)
    line = before.rfind("\n", 0, common) + 1
    around = before.rfind("\n", 0, max(0, line - _CHARS_AROUND)) + 1
    return around, before.count("\n", 0, around) + 1


def _equal_end(before: str, after: str, start: int) -> int:
    """How many characters are equal at the end, in whole lines, some lines left for context."""
    common = common_suffix(before, after, min(len(before), len(after)) - start)
    shared = max(0, common - _CHARS_AROUND)
    line = before.find("\n", len(before) - shared)
    return len(before) - line - 1 if shared and line >= 0 else 0


def _edits(old: Sequence[str], new: Sequence[str]) -> list[Edit] | None:
    """The shortest way from `old` to `new`; None where it has too many edits."""
    furthest = {1: 0}
    trace: list[dict[int, int]] = []
    for edits in range(_MOST_EDITS + 1):
        trace.append(dict(furthest))
        for diagonal in range(-edits, edits + 1, 2):
            down = diagonal == -edits or (
                diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]
            )
            x = furthest[diagonal + 1] if down else furthest[diagonal - 1] + 1
            y = x - diagonal
            while x < len(old) and y < len(new) and old[x] == new[y]:
                x, y = x + 1, y + 1
            furthest[diagonal] = x
            if x >= len(old) and y >= len(new):
                return _traced(trace, len(old), len(new))
    return None


def _traced(trace: Sequence[dict[int, int]], x: int, y: int) -> list[Edit]:
    """Walk back along the way that was found."""
    way: list[Edit] = []
    for edits in range(len(trace) - 1, -1, -1):
        furthest, diagonal = trace[edits], x - y
        down = diagonal == -edits or (
            diagonal != edits and furthest[diagonal - 1] < furthest[diagonal + 1]
        )
        before = diagonal + 1 if down else diagonal - 1
        x_before = furthest[before]
        y_before = x_before - before
        while x > max(x_before, 0) and y > max(y_before, 0):
            x, y = x - 1, y - 1
            way.append(("=", x, y))
        if edits:
            x, y = x_before, y_before
            way.append(("+", x, y) if down else ("-", x, y))
    way.reverse()
    return way


def _pieces(
    edits: Sequence[Edit], old: Sequence[str], new: Sequence[str], first: int
) -> Iterator[str]:
    changed = [at for at, (kind, _, _) in enumerate(edits) if kind != "="]
    shown = sorted(
        {
            at
            for number in changed
            for at in range(max(0, number - _CONTEXT), min(len(edits), number + _CONTEXT + 1))
        }
    )
    previous = -2
    for at in shown:
        kind, x, y = edits[at]
        if at != previous + 1:
            yield f"@@ line {first + y} @@{_section(new, y)}"
        previous = at
        yield f" {new[y]}" if kind == "=" else f"-{old[x]}" if kind == "-" else f"+{new[y]}"


def _section(lines: Sequence[str], number: int) -> str:
    """The nearest line above `number` that is indented less: "backend web", "upstream web {"."""
    if number >= len(lines):
        return ""
    depth = _depth(lines[number])
    for line in reversed(lines[:number]):
        if line.strip() and _depth(line) < depth:
            return f" {line.strip()}"
    return ""


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
