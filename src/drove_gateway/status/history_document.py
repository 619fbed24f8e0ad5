"""The document of `GET /v1/history`, and how it is built. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import msgspec

from drove_gateway.model.records import Happening
from drove_gateway.state.past import PastApply
from drove_gateway.status.document import HistoryEntry, doc
from drove_gateway.status.document_builder import history_entry, optional_utc, utc


class PastEntry(msgspec.Struct, frozen=True):
    """An apply of the history."""

    number: Annotated[str, doc("What identifies it: `/ui/applies/{number}`, `?before=`.")]
    apply: Annotated[HistoryEntry, doc("The apply, as in `history` of `/v1/status`.")]
    diff: Annotated[
        str,
        doc(
            "The first change of the configuration file since it began, as a unified diff without "
            "secrets; empty if the file did not change since."
        ),
    ] = ""
    written: Annotated[datetime | None, doc("When that change was written.")] = None


class EventEntry(msgspec.Struct, frozen=True):
    """Something that explains applies."""

    at: Annotated[datetime, doc("When it happened.")]
    kind: Annotated[str, doc("`leader`, `hold` or `announced` (by Drove's events).")]
    text: Annotated[str, doc("What happened.")]


class HistoryDocument(msgspec.Struct, frozen=True):
    """The response of `GET /v1/history`."""

    applies: Annotated[tuple[PastEntry, ...], doc("Applies, newest first.")] = ()
    events: Annotated[tuple[EventEntry, ...], doc("The newest events, newest first.")] = ()
    more: Annotated[bool, doc("Whether older applies are kept.")] = False


def history_document(
    applies: Sequence[PastApply], events: Sequence[Happening], before: str, limit: int
) -> HistoryDocument:
    """Return at most `limit` applies, those older than the apply `before` if it is not empty.

    If that apply is no longer kept, neither are older applies: then none is returned.
    """
    numbers = ["", *(each.number for each in applies)]
    start = numbers.index(before) if before in numbers else len(applies)
    shown = applies[start : start + limit]
    return HistoryDocument(
        tuple(
            PastEntry(
                each.number, history_entry(each.record), each.diff, optional_utc(each.written)
            )
            for each in shown
        ),
        tuple(EventEntry(utc(event.at), event.kind, event.text) for event in events[:limit]),
        start + limit < len(applies),
    )
