"""How long each stage of an apply took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Stages:
    """Seconds by stage, in the order they began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self.seconds: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage, whether it ends well or not."""
        begin = self._clock()
        try:
            yield
        finally:
            self.seconds.append((name, self._clock() - begin))

    def of(self, name: str) -> float:
        """The seconds of all stages of this name."""
        return sum(seconds for stage, seconds in self.seconds if stage == name)
