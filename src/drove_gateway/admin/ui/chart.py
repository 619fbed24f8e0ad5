"""Where time goes, as bars that the server draws: half of the applies, and 99 of 100. Pure."""

from collections.abc import Iterable, Sequence

import msgspec

from drove_gateway.model.plan import ApplyStage
from drove_gateway.model.records import STAGES_BEFORE
from drove_gateway.status.status import Status

_WIDTH = 320
_ORDER = (*STAGES_BEFORE, *ApplyStage)


class Bar(msgspec.Struct, frozen=True):
    """A stage: its median and 99th percentile in seconds, and their lengths in the drawing."""

    name: str
    median: float
    high: float
    median_length: int = 0
    high_length: int = 0


def bars(status: Status) -> tuple[Bar, ...]:
    """Return the stages of a change in their order, of the applies in the history.

    "applied" is the whole apply, and "serving" everything from the change in Drove to its end.
    """
    stages: dict[str, list[float]] = {stage: [] for stage in _ORDER}
    for record in status.history:
        for stage, took in record.stages:
            stages[stage].append(took)
    found = [
        *(bar for name, seconds in stages.items() for bar in _bar(name, seconds)),
        *_bar("applied", [record.took for record in status.history]),
        *_bar("serving", [each.serving for each in status.history if each.serving is not None]),
    ]
    longest = max((bar.high for bar in found), default=0.0) or 1.0
    return tuple(
        msgspec.structs.replace(
            bar,
            median_length=round(_WIDTH * bar.median / longest),
            high_length=round(_WIDTH * bar.high / longest),
        )
        for bar in found
    )


def _bar(name: str, seconds: Sequence[float]) -> Iterable[Bar]:
    if seconds:
        ordered = sorted(seconds)
        yield Bar(name, _share(ordered, 0.5), _share(ordered, 0.99))


def _share(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
