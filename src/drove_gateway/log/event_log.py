"""The log that every part of the gateway writes to: only lines of the catalogue."""

from structlog.typing import FilteringBoundLogger

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.line import LEVELS, Level


class EventLog:
    """Writes the lines of `LogEvent` to `sink`, from the level `least` on.

    There is no method that takes a text, so each line has a declared name, level and message.
    """

    def __init__(self, sink: FilteringBoundLogger, least: Level = "debug") -> None:
        self._sink = sink
        self._least: Level = least
        self._rank = LEVELS.index(least)

    def bind(self, **fields: object) -> "EventLog":
        """Return a log that adds `fields` to each of its lines."""
        return EventLog(self._sink.bind(**fields), self._least)

    def shows(self, event: LogEvent) -> bool:
        """Whether a line of this kind would be written; for lines that are costly to build."""
        return LEVELS.index(event.value.level) >= self._rank

    def write(self, event: LogEvent, **fields: object) -> None:
        """Write a line with the event's name, level and message, and `fields`."""
        if not self.shows(event):
            return
        line = event.value
        getattr(self._sink, line.level)(event.label, msg=line.message, **fields)
