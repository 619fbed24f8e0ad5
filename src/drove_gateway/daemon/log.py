"""One line for each event, in the form of the original's: time=… level=info msg="…" key=value."""

import contextlib
import logging
from typing import TextIO

import structlog
from structlog.typing import FilteringBoundLogger

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
}


class _Lines:
    """Writes lines to `stream`. Failures are swallowed: a full disk, or a reader of the log that
    is gone, must not end what keeps traffic right."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, message: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            print(message, file=self._stream, flush=True)

    debug = info = warning = error = critical = msg


def logger(level: str, stream: TextIO) -> FilteringBoundLogger:
    """A logger of its own, no global one. `level` is debug, info, warn or error."""
    log: FilteringBoundLogger = structlog.wrap_logger(
        _Lines(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", key="time"),
            structlog.processors.EventRenamer("msg"),
            structlog.processors.LogfmtRenderer(key_order=["time", "level", "msg"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    return log
