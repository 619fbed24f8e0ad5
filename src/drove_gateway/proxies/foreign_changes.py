"""Recognises another program that undoes this gateway's changes again and again.

A manual edit is undone once. When the gateway has to restore the same thing several times within
minutes, something else drives the proxy too: a second gateway on another machine, where no lock
tells, or a tool that manages the configuration. Each of the two believes to be right, and whole
vhosts are out of service in turn.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.health import HealthSection
from drove_gateway.model.wording import first_and_more
from drove_gateway.proxies.runtime.servers import Change, ObservedServer

# So many times within so many seconds is no longer a person who tries something.
ENOUGH = 3
WITHIN_SECONDS = 600.0
# The contest is over when nothing was undone for this long, or for three audits.
_QUIET_SECONDS = 60.0
_QUIET_AUDITS = 3
# More subjects than a reader wants to know; the latest are remembered.
_MOST_SUBJECTS = 1000
_NAMED = 3

Servers = Mapping[str, Sequence[ObservedServer]]


class Undone(msgspec.Struct, frozen=True):
    """When each subject was undone by others, oldest first. Times are monotonic seconds."""

    times: Mapping[str, tuple[float, ...]] = {}

    def noted(self, subjects: Iterable[str], now: float) -> "Undone":
        """Add that `subjects` were undone at `now`."""
        times = dict(self.times)
        for subject in dict.fromkeys(subjects):
            times[subject] = (*times.pop(subject, ()), now)[-ENOUGH:]
        return Undone(dict(list(times.items())[-_MOST_SUBJECTS:]))

    def contested(self, now: float, quiet: float) -> tuple[str, ...]:
        """Return what others keep undoing; nothing when they have been quiet for `quiet`."""
        return tuple(
            subject
            for subject, times in self.times.items()
            if len(times) == ENOUGH
            and times[-1] - times[0] <= WITHIN_SECONDS
            and now - times[-1] <= quiet
        )


def undone_servers(before: Servers, found: Servers, drift: Iterable[Change]) -> Iterator[str]:
    """Yield the servers of `drift` that differ although the gateway had brought them about.

    `before` is what the gateway knew, `found` what it read now. What it could not change yet
    differs from what is desired too, but not from what was known.
    """
    for change in drift:
        if _place(before, change) != _place(found, change):
            yield f"server {change.backend}/{change.name}"


class ForeignChanges:
    """Collects what others undid of this gateway's changes to `proxy`, and says when that repeats.

    Audits happen every `audit_interval` seconds.
    """

    def __init__(
        self, proxy: str, *, audit_interval: float, clock: Callable[[], float], log: EventLog
    ) -> None:
        self._proxy = proxy
        self._quiet = max(_QUIET_SECONDS, _QUIET_AUDITS * audit_interval)
        self._clock = clock
        self._log = log
        self._undone = Undone()
        self._reported = False

    def note(self, subjects: Iterable[str]) -> None:
        """Note that others undid `subjects`, which the gateway now restores."""
        self._undone = self._undone.noted(subjects, self._clock())
        self.look()

    def look(self) -> None:
        """Log that the contest began or ended."""
        contested = self._contested()
        if bool(contested) == self._reported:
            return
        self._reported = bool(contested)
        if contested:
            self._log.write(
                LogEvent.CHANGES_UNDONE,
                proxy=self._proxy,
                first=contested[0],
                count=len(contested),
            )
        else:
            self._log.write(LogEvent.CHANGES_LAST, proxy=self._proxy)

    @property
    def problem(self) -> str:
        """Who undoes what; empty while nobody does."""
        contested = self._contested()
        if not contested:
            return ""
        return (
            f"another program keeps undoing this gateway's changes to {self._proxy}: "
            f"{first_and_more(contested, _NAMED)}, each restored {ENOUGH} times or more within "
            f"{WITHIN_SECONDS / 60:.0f} minutes. Look for a second drove-gateway on another "
            "machine, or a tool that manages the configuration, and stop it"
        )

    def section(self, otherwise: HealthSection) -> HealthSection:
        """Return `otherwise`, or a section that names the problem where that one works."""
        problem = self.problem if otherwise.works else ""
        return HealthSection(healthy=False, message=problem) if problem else otherwise

    def _contested(self) -> tuple[str, ...]:
        return self._undone.contested(self._clock(), self._quiet)


def _place(servers: Servers, change: Change) -> tuple[str, int, bool | None] | None:
    """Where the server is, and whether with TLS; None where it is missing."""
    for server in servers.get(change.backend, ()):
        if server.name == change.name:
            return server.address, server.port, server.tls
    return None
