"""The entries of the history as lines of a file: one JSON object a line. Pure.

`{"type": "apply", …}`, `{"type": "file", …}` or `{"type": "event", …}`. A line that was torn or
edited, or that a newer gateway wrote, is left out; the others count.
"""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from drove_gateway.model.records import ApplyRecord, Happening
from drove_gateway.model.wording import printable

MOST_APPLY_BYTES = 8 * 1024
MOST_FILE_BYTES = 16 * 1024
MOST_EVENT_BYTES = 1024
_LONGEST_TEXT = 500
_MOST_TEXTS = 50
_MOST_STEPS = 100


class AppliedEntry(msgspec.Struct, frozen=True, tag="apply"):
    """An attempt to change the proxy."""

    apply: ApplyRecord


class FileEntry(msgspec.Struct, frozen=True, tag="file"):
    """A change of the configuration file: when it was written (Unix seconds), and the lines that
    changed, without secrets."""

    at: float
    diff: str


class HappeningEntry(msgspec.Struct, frozen=True, tag="event"):
    """Something that explains later applies: another leader, a hold, an announcement."""

    event: Happening


Entry: TypeAlias = AppliedEntry | FileEntry | HappeningEntry

_DECODER = msgspec.json.Decoder(Entry)


def encoded(entry: Entry) -> bytes:
    """Return the line of an entry, without its end, of a bounded size."""
    match entry:
        case AppliedEntry(record):
            return _smaller(record)
        case FileEntry(at, diff):
            return _fitting(at, diff)
        case HappeningEntry(event):
            short = msgspec.structs.replace(event, text=_clean(event.text, _LONGEST_TEXT))
            return msgspec.json.encode(HappeningEntry(short))


def decoded(line: bytes) -> Entry | None:
    """Return the entry of a line; None if it cannot be used."""
    try:
        entry: Entry = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return entry


def _smaller(record: ApplyRecord) -> bytes:
    """A record whose lists are cut until it fits."""
    steps, texts, longest = _MOST_STEPS, _MOST_TEXTS, _LONGEST_TEXT
    while True:
        line = msgspec.json.encode(AppliedEntry(_cut(record, steps, texts, longest)))
        if len(line) <= MOST_APPLY_BYTES or longest <= 1:
            return line
        steps, texts, longest = steps // 2, max(1, texts // 2), longest // 2


def _cut(record: ApplyRecord, steps: int, texts: int, longest: int) -> ApplyRecord:
    left_out = max(0, len(record.steps) - steps) + max(0, len(record.failed) - texts)
    return msgspec.structs.replace(
        record,
        triggers=_texts(record.triggers[:texts], longest),
        reasons=_texts(record.reasons[:texts], longest),
        steps=tuple(
            msgspec.structs.replace(
                step, subject=_clean(step.subject, longest), reason=_clean(step.reason, longest)
            )
            for step in record.steps[:steps]
        ),
        failed=tuple(
            (_clean(name, longest), _clean(why, longest)) for name, why in record.failed[:texts]
        ),
        error=_clean(record.error, longest),
        left_out=record.left_out + left_out,
    )


def _texts(texts: Sequence[str], longest: int) -> tuple[str, ...]:
    return tuple(_clean(text, longest) for text in texts)


def _clean(text: str, longest: int) -> str:
    """A text of bounded length; bytes that are not UTF-8 cannot be part of JSON."""
    return printable(text[:longest])


def _fitting(at: float, diff: str) -> bytes:
    diff = printable(diff)
    while True:
        line = msgspec.json.encode(FileEntry(at, diff))
        if len(line) <= MOST_FILE_BYTES:
            return line
        kept = len(diff) * MOST_FILE_BYTES // len(line) * 9 // 10
        diff = f"{diff[:kept]}\n… and more lines"
