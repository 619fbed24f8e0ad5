"""How long each stage of an apply took."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from drove_gateway.model.plan import ApplyStage, Durations


class Timings:
    """Seconds by stage, in the order in which the stages began."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seconds: list[tuple[ApplyStage, float]] = []

    @contextmanager
    def stage(self, stage: ApplyStage) -> Iterator[None]:
        """Measure a stage, whether it succeeds or not."""
        begin = self._clock()
        try:
            yield
        finally:
            self._seconds.append((stage, self._clock() - begin))

    @property
    def seconds(self) -> Durations:
        return tuple(self._seconds)

    def of(self, stage: ApplyStage) -> float:
        """Return the seconds of every occurrence of `stage`."""
        return sum(seconds for measured, seconds in self._seconds if measured is stage)
