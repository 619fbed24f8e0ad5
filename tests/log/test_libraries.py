"""What libraries report becomes a line of the log."""

import logging

import structlog
from aiohttp.http_exceptions import BadStatusLine

from drove_gateway.log.event_log import EventLog
from drove_gateway.log.libraries import libraries_logged
from drove_gateway.model.errors import ProxyError


def lines_of(error: Exception) -> list[tuple[str, str]]:
    """Return the lines, by event and cause, of a library that reports this error."""
    with (
        structlog.testing.capture_logs() as lines,
        libraries_logged(EventLog(structlog.get_logger())),
    ):
        logging.getLogger("aiohttp.server").error("request from %s", "::1", exc_info=error)
    return [(line["event"], line["error"]) for line in lines]


def test_an_error_is_a_line_without_a_traceback() -> None:
    found = lines_of(ProxyError("a cause"))
    assert found == [("library_report", "request from ::1: ProxyError: a cause")]


def test_a_request_that_is_not_http_leaves_no_line() -> None:
    assert lines_of(BadStatusLine("GET / \r\nlevel=error")) == []
