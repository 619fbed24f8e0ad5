"""Follows a directory of certificates, and brings what changes to the proxy.

A file that is broken is not brought: the proxy keeps serving the certificate that it has. A proxy
that reads the files itself cannot be kept from it, so that health says what that means.
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.health import CertificateHealth, HealthSection
from drove_gateway.model.wording import first_and_more
from drove_gateway.proxies.certificates.directory import CertificateDirectory, CertificateFiles
from drove_gateway.proxies.certificates.sni import PresentedNames, names_of_certificate

_INTERVAL_SECONDS = 1.0
# Less than the week before the end that most clients renew in.
_SOON_SECONDS = 7 * 86400.0
_NAMED = 5
_READ_BY_THE_PROXY = (
    "the proxy reads the file itself: handshakes for its names may fail until it is repaired"
)
_NONE = HealthSection(message="OK: no directory of certificates")


class CarriesCertificates(Protocol):
    """Brings certificates to a proxy."""

    async def bring(self, directory: Path, files: CertificateFiles) -> Mapping[str, str]:
        """Make the proxy's certificates of `directory` those of `files`.

        Files with problems stay as the proxy has them. Returns what the proxy refuses, by file.
        Raises RuntimeApiError.
        """
        ...


class FollowsCertificates(Protocol):
    """Follows the certificates of a proxy, and reports their state."""

    async def run(self, demand: Callable[[str], None]) -> None: ...

    def health(self) -> tuple[CertificateHealth, ...]: ...

    def section(self) -> HealthSection: ...


class Certificates:
    """Follows `directory`; a `FollowsCertificates`.

    Without a `carrier`, the proxy reads the files itself, and only their names may be in its
    configuration. `default` is the file for every name without a certificate, `presented` says for
    which names the proxy presents the others. `clock` is in Unix seconds.
    """

    def __init__(
        self,
        directory: Path,
        carrier: CarriesCertificates | None,
        *,
        clock: Callable[[], float],
        log: EventLog,
        default: Path | None = None,
        presented: PresentedNames = names_of_certificate,
        interval: float = _INTERVAL_SECONDS,
    ) -> None:
        self._directory = CertificateDirectory(directory)
        self._carrier = carrier
        self._default = str(default)
        self._presented = presented
        self._clock = clock
        self._log = log
        self._interval = interval
        self._files = CertificateFiles()
        self._problems: Mapping[str, str] = {}
        # The fingerprints of the certificates that serve, by file.
        self._serving: Mapping[str, str] = {}
        self._failure = ""
        self._has_looked = False

    async def run(self, demand: Callable[[str], None]) -> None:
        """Look at the directory again and again, until cancelled; `demand` requests a new
        configuration, for a reason."""
        while True:
            await self._look(demand)
            await asyncio.sleep(self._interval)

    def health(self) -> tuple[CertificateHealth, ...]:
        """Return the state of each file."""
        good = self._files.certificates
        return tuple(
            CertificateHealth(
                name,
                expires=good[name].expires if name in good else None,
                problem=self._problems.get(name, ""),
                names=self._names(name),
            )
            for name in sorted(good.keys() | self._problems.keys())
        )

    def _names(self, file: str) -> tuple[str, ...]:
        every = ("*",) if file == self._default else ()
        return (*self._presented(file, self._files.certificates.get(file)), *every)

    def section(self) -> HealthSection:
        """Return all in one: unhealthy with a broken file, or one that ends within a week."""
        if self._failure:
            return HealthSection(healthy=False, message=self._failure)
        now, states = self._clock(), self.health()
        bad = [f"{Path(each.file).name}: {each.problem}" for each in states if each.problem]
        ends = sorted((each.expires, each.file) for each in states if each.expires is not None)
        bad += [
            f"{Path(file).name} {'has expired' if end <= now else f'expires on {_day(end)}'}"
            for end, file in ends
            if end - now < _SOON_SECONDS
        ]
        if bad:
            return HealthSection(healthy=False, message=first_and_more(bad, _NAMED))
        next_end = f", the next expires on {_day(ends[0][0])}" if ends else ""
        return HealthSection(message=f"OK: {len(states)} certificates{next_end}")

    async def _look(self, demand: Callable[[str], None]) -> None:
        directory = self._directory
        refused: Mapping[str, str] = {}
        try:
            files = await asyncio.to_thread(directory.read)
            if self._carrier is not None:
                refused = await self._carrier.bring(directory.path, files)
        except OSError as error:
            self._fail(f"the certificates in {directory.path} cannot be read: {error.strerror}")
        except RuntimeApiError as error:
            self._fail(f"certificates cannot be sent yet: {error}")
        else:
            self._failure = ""
            changed = files.names ^ self._files.names
            if self._carrier is None and changed and self._has_looked:
                names = first_and_more(sorted(Path(name).name for name in changed), _NAMED)
                demand(f"certificates of {directory.path} came or went: {names}")
            self._has_looked = True
            self._take(files, {**files.problems, **refused})

    def _fail(self, failure: str) -> None:
        if failure != self._failure:
            self._log.write(LogEvent.CERTIFICATES_NOT_FOLLOWED, error=failure)
        self._failure = failure

    def _take(self, files: CertificateFiles, problems: Mapping[str, str]) -> None:
        self._files = files
        event = LogEvent.CERTIFICATE_REFUSED if self._carrier else LogEvent.CERTIFICATE_BROKEN
        if self._carrier is None:
            problems = {name: f"{why}; {_READ_BY_THE_PROXY}" for name, why in problems.items()}
        for name, problem in problems.items():
            if self._problems.get(name) != problem:
                self._log.write(event, path=name, error=problem)
        self._problems = problems
        good = {name: c for name, c in files.certificates.items() if name not in problems}
        for name, each in good.items():
            if self._serving.get(name, each.fingerprint) != each.fingerprint:
                self._log.write(LogEvent.CERTIFICATE_RENEWED, path=name, expires=_day(each.expires))
        kept = {name: earlier for name, earlier in self._serving.items() if name in problems}
        self._serving = {**kept, **{name: each.fingerprint for name, each in good.items()}}


def _day(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d}"


class NoCertificates:
    """Follows nothing; a `FollowsCertificates`."""

    async def run(self, demand: Callable[[str], None]) -> None:
        """End at once."""

    def health(self) -> tuple[CertificateHealth, ...]:
        return ()

    def section(self) -> HealthSection:
        return _NONE
