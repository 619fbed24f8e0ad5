"""What libraries report, as lines of the log, without tracebacks and without what clients sent."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog

# The client gets status 400 for these; a line for each would let anyone fill the disk.
_CLIENTS_FAULT = "aiohttp.http_exceptions"


class _Lines(logging.Handler):
    """Writes each record as a line."""

    def __init__(self, log: EventLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if type(error).__module__ == _CLIENTS_FAULT:
            return
        cause = f": {type(error).__name__}: {error}" if error else ""
        self._log.write(
            LogEvent.LIBRARY_REPORT, library=record.name, error=f"{record.getMessage()}{cause}"
        )


@contextmanager
def libraries_logged(log: EventLog) -> Iterator[None]:
    """Write what libraries report to `log` during the block."""
    lines = _Lines(log)
    logging.getLogger().addHandler(lines)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(lines)
