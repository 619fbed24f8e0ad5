"""Shows each command that a runtime API gets, at the level `debug`."""

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.wording import printable

_MOST_CHARACTERS = 300


class CommandLog:
    """Logs the commands sent to `proxy`.

    Only the first line of a command is shown: what follows it may be a private key. Credentials
    are sent in HTTP headers, which are never shown.
    """

    def __init__(self, proxy: str, log: EventLog) -> None:
        self._proxy = proxy
        self._log = log

    @property
    def enabled(self) -> bool:
        """Whether commands are logged at all."""
        return self._log.shows(LogEvent.RUNTIME_COMMAND)

    def write(self, command: str, reply: str, seconds: float) -> None:
        """Log a command, the reply, and how long its batch took."""
        self._log.write(
            LogEvent.RUNTIME_COMMAND,
            proxy=self._proxy,
            command=printable(command.partition("\n")[0], _MOST_CHARACTERS),
            reply=printable(reply, _MOST_CHARACTERS) or "-",
            took_ms=round(seconds * 1000, 1),
        )
