"""Past applies, each with the change of the configuration file that followed. Pure."""

from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from drove_gateway.model.records import ApplyRecord
from drove_gateway.state.history_entries import AppliedEntry, Entry, FileEntry


class PastApply(msgspec.Struct, frozen=True):
    """An apply of the history. `diff` is the first change of the configuration file from its
    begin on, which was written at `written` (Unix seconds); None where none is known."""

    record: ApplyRecord
    diff: str = ""
    written: float | None = None

    @property
    def number(self) -> str:
        """What identifies the apply in a URL: its begin in microseconds."""
        return apply_number(self.record)


def apply_number(record: ApplyRecord) -> str:
    """Return what identifies an apply in a URL: its begin in microseconds."""
    return str(round(record.at * 1e6))


def past_applies(entries: Sequence[Entry]) -> tuple[PastApply, ...]:
    """Return the applies of `entries`, which are oldest first, newest first."""
    files = sorted((e for e in entries if isinstance(e, FileEntry)), key=lambda each: each.at)
    times = [file.at for file in files]
    found: list[PastApply] = []
    for entry in entries:
        if isinstance(entry, AppliedEntry):
            at = bisect_left(times, entry.apply.at)
            file = files[at] if at < len(files) else None
            found.append(
                PastApply(entry.apply, file.diff, file.at) if file else PastApply(entry.apply)
            )
    return tuple(reversed(found))
