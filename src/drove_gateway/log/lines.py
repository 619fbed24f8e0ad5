"""One line for each event: `time=… level=info event=… msg="…" key=value`, or the same in JSON."""

import contextlib
import json
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TextIO, TypeAlias

import structlog
from structlog.typing import Processor, WrappedLogger

from drove_gateway.log.event_log import EventLog
from drove_gateway.log.line import Level
from drove_gateway.model.wording import first_and_more, printable

_LEVELS: Mapping[str, Level] = {
    "debug": "debug",
    "info": "info",
    "warn": "warning",
    "error": "error",
}
_MOST_CHARACTERS = 2000
_MOST_ITEMS_IN_LOGFMT = 8
_MOST_ITEMS_IN_JSON = 100
_ORDER = ("time", "level", "event", "msg")

_Fields: TypeAlias = MutableMapping[str, Any]


class _Lines:
    """Writes lines to `stream`. Failures are swallowed: a full disk, or a reader of the log that
    is gone, must not end what keeps traffic right."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            print(message, file=self._stream, flush=True)

    debug = info = warning = error = critical = msg


def logger(level: str, stream: TextIO, *, log_format: str = "logfmt") -> EventLog:
    """Return a log that writes to `stream`; it is not global.

    `level` is debug, info, warn or error, `log_format` logfmt or json. Text from outside is made
    printable and shortened here, so that nothing can forge a line or command a terminal.
    """
    sink = structlog.wrap_logger(
        _Lines(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", key="time"),
            _json if log_format == "json" else _logfmt,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=True,
    )
    return EventLog(sink, _LEVELS[level])


_render: Processor = structlog.processors.LogfmtRenderer(key_order=_ORDER, bool_as_flag=False)


def _logfmt(log: WrappedLogger, method: str, fields: _Fields) -> Any:
    """A list becomes its first items and a count, a mapping a field for each of its keys."""
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}_{name}": _text(item) for name, item in value.items()}
        else:
            flat[key] = _text(value)
    return _render(log, method, flat)


def _json(log: WrappedLogger, method: str, fields: _Fields) -> str:  # noqa: ARG001
    ordered = {key: fields[key] for key in (*_ORDER, *fields)}
    return json.dumps({key: _value(value) for key, value in ordered.items()}, ensure_ascii=False)


def _text(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = [_item(item) for item in value]
        return printable(
            first_and_more(items, _MOST_ITEMS_IN_LOGFMT, separator=","), _MOST_CHARACTERS
        )
    return printable(str(value), _MOST_CHARACTERS)


def _item(value: Any) -> str:
    """An item of a list; one with parts, such as a vhost and a reason, is `vhost: reason`."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ": ".join(map(str, value))
    return str(value)


def _value(value: Any) -> Any:
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, Mapping):
        return {printable(str(key), _MOST_CHARACTERS): _value(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_value(item) for item in value[:_MOST_ITEMS_IN_JSON]]
    return printable(str(value), _MOST_CHARACTERS)
