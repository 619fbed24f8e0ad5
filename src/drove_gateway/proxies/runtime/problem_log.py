"""Logs a problem that is met again and again once, until it is over or becomes another."""

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog


class ProblemLog:
    """Logs `event` for a problem that is new, for work that is tried several times a second."""

    def __init__(self, event: LogEvent, log: EventLog) -> None:
        self._event = event
        self._log = log
        self._problem = ""

    def met(self, problem: str) -> None:
        """Log `problem`, unless it is the last that was met."""
        if problem != self._problem:
            self._log.write(self._event, error=problem)
        self._problem = problem

    def over(self) -> None:
        """Note that the work succeeded: a problem after that is new."""
        self._problem = ""
