"""What changed, as a time line: applies, and the events that explain them. Pure."""

from collections.abc import Sequence

import msgspec

from drove_gateway.model.records import ApplyRecord, Happening
from drove_gateway.state.past import apply_number


class Moment(msgspec.Struct, frozen=True):
    """An apply, with its number, or an event."""

    at: float
    apply: ApplyRecord | None = None
    number: str = ""
    event: Happening | None = None


def timeline(
    applies: Sequence[ApplyRecord], events: Sequence[Happening], most: int
) -> tuple[Moment, ...]:
    """Return the newest moments, newest first."""
    moments = [
        *(Moment(record.at, record, apply_number(record)) for record in applies[:most]),
        *(Moment(event.at, event=event) for event in events[:most]),
    ]
    return tuple(sorted(moments, key=lambda each: each.at, reverse=True)[:most])
