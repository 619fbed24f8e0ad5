"""The log that every part of the gateway writes to: only lines of the catalogue."""

from collections.abc import Callable, Mapping

from structlog.typing import FilteringBoundLogger

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.line import LEVELS, Level

# No line shows more items of a list.
_MOST_ITEMS = 100


def _as_it_is(text: str) -> str:
    return text


class EventLog:
    """Writes the lines of `LogEvent` to `sink`, from the level `least` on.

    There is no method that takes a text, so each line has a declared name, level and message.
    `hide` takes secrets out of the texts of fields.
    """

    def __init__(
        self,
        sink: FilteringBoundLogger,
        least: Level = "debug",
        hide: Callable[[str], str] = _as_it_is,
    ) -> None:
        self._sink = sink
        self._hide = hide
        self._least: Level = least
        self._rank = LEVELS.index(least)

    def bind(self, **fields: object) -> "EventLog":
        """Return a log that adds `fields` to each of its lines."""
        return EventLog(self._sink.bind(**self._hidden(fields)), self._least, self._hide)

    def hiding(self, hide: Callable[[str], str]) -> "EventLog":
        """Return a log that takes secrets out of the texts of each field with `hide`."""
        return EventLog(self._sink, self._least, hide)

    def shows(self, event: LogEvent) -> bool:
        """Whether a line of this kind would be written; for lines that are costly to build."""
        return LEVELS.index(event.value.level) >= self._rank

    def write(self, event: LogEvent, **fields: object) -> None:
        """Write a line with the event's name, level and message, and `fields`."""
        if not self.shows(event):
            return
        line = event.value
        getattr(self._sink, line.level)(event.label, msg=line.message, **self._hidden(fields))

    def _hidden(self, fields: Mapping[str, object]) -> dict[str, object]:
        return {name: self._without_secrets(value) for name, value in fields.items()}

    def _without_secrets(self, value: object) -> object:
        match value:
            case str():
                return self._hide(value)
            case list() | tuple():
                shown = [self._without_secrets(item) for item in value[:_MOST_ITEMS]]
                return [*shown, *value[_MOST_ITEMS:]]
            case dict():
                return self._hidden(value)
        return value
