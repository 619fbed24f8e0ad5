"""What passes through loops wrote in the last rendering."""

from typing import Final, TypeAlias

Pass: TypeAlias = tuple[object, str, int]
"""The element of a pass, what it wrote, and the steps that it took."""

Passes: TypeAlias = dict[str, Pass]

# Values of these types are compared; of others, only the same object counts as the same.
_COMPARED: Final = frozenset({bool, int, str})


class PassMemory:
    """The passes of the last rendering, by loop. Threads may share it: entries are replaced whole.

    Every loop has the values from outside that its passes read: other values, other passes.
    """

    def __init__(self) -> None:
        self._loops: dict[int, tuple[tuple[object, ...], Passes]] = {}

    def recall(self, loop: int, read: tuple[object, ...]) -> Passes:
        """Return the passes of a loop, by key, if they read the same values from outside."""
        before, passes = self._loops.get(loop, ((), {}))
        return passes if _same(before, read) else {}

    def keep(self, loop: int, read: tuple[object, ...], passes: Passes) -> None:
        """Replace the passes of a loop."""
        self._loops[loop] = (read, passes)


def _same(before: tuple[object, ...], now: tuple[object, ...]) -> bool:
    return len(before) == len(now) and all(
        old is new or (type(old) is type(new) and type(old) in _COMPARED and old == new)
        for old, new in zip(before, now, strict=True)
    )
