"""Reports the service state to systemd, over the datagram socket of `sd_notify(3)`.

Where systemd did not request it (no NOTIFY_SOCKET), nothing is reported.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Iterable, MutableMapping
from datetime import UTC, datetime

from drove_gateway.model.vocabulary import App
from drove_gateway.model.wording import count_of
from drove_gateway.status.status import Status

_LOOK_SECONDS = 0.25
_SEND_SECONDS = 1.0
_LONGEST_STATUS = 500

# Only slow checks, or controllers that accept connections and do not respond, take so long.
LATEST_READINESS_SECONDS = 30.0
"""When a service reports that it is ready, even if its first round has not ended."""


class Notifier:
    """Sends to `address`, a path or `@` and an abstract name; empty sends nothing.

    `watchdog` is the number of seconds after which systemd kills a service that does not say that
    it is alive, 0 where it does not.
    """

    def __init__(self, address: str = "", watchdog: float = 0.0) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        self.watchdog = watchdog

    @property
    def asked(self) -> bool:
        """Whether systemd wants to know."""
        return bool(self._address)

    def send(self, *assignments: str) -> bool:
        """Send `NAME=VALUE` lines in one message; False when it could not be delivered."""
        if not self._address:
            return True
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sending:
                sending.settimeout(_SEND_SECONDS)
                sending.sendto("\n".join(assignments).encode(), self._address)
        except OSError:
            return False
        return True


def notifier(environ: MutableMapping[str, str], pid: int) -> Notifier:
    """Return the notifier that `environ` configures, and remove its variables, so that no command
    inherits them.
    """
    address = environ.pop("NOTIFY_SOCKET", "")
    interval = environ.pop("WATCHDOG_USEC", "")
    meant = environ.pop("WATCHDOG_PID", str(pid)) == str(pid)
    watchdog = int(interval) / 1e6 if meant and interval.isascii() and interval.isdigit() else 0.0
    return Notifier(address, watchdog)


class Service:
    """This process as a service. `current` gives the status, `alive` whether it makes progress.

    It is ready after the first round, whatever its result, and `ready_within` seconds after `run`
    begins at the latest: a boot must not wait for controllers or a proxy that are away.
    """

    def __init__(
        self,
        notifier: Notifier,
        current: Callable[[], Status],
        alive: Callable[[], bool],
        *,
        ready_within: float = LATEST_READINESS_SECONDS,
    ) -> None:
        self._notifier = notifier
        self._current = current
        self._alive = alive
        self._ready_within = ready_within
        self._ready = False
        self._told = ""

    async def run(self) -> None:
        """Report until cancelled."""
        beat, due = self._notifier.watchdog / 2, 0.0
        ready_at = time.monotonic() + self._ready_within
        pause = min(_LOOK_SECONDS, beat / 2) if beat else _LOOK_SECONDS
        while self._notifier.asked:
            now = time.monotonic()
            self._look(late=now >= ready_at)
            if beat and now >= due and self._alive():
                self._notifier.send("WATCHDOG=1")
                due = now + beat - pause
            await asyncio.sleep(pause)

    def reloading(self) -> None:
        """The configuration is read again; `reloaded` must follow."""
        if self._ready:
            usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            self._notifier.send("RELOADING=1", f"MONOTONIC_USEC={usec}")

    def reloaded(self) -> None:
        """The configuration that counts now is in use."""
        if self._ready:
            self._notifier.send("READY=1")

    def stopping(self) -> None:
        """The end began."""
        self._notifier.send("STOPPING=1", "STATUS=finishing the step in progress")

    def _look(self, *, late: bool) -> None:
        status = self._current()
        if not self._ready and (late or has_begun(status)):
            self._ready = self._notifier.send("READY=1")
        line = status_line(status)
        if line != self._told and self._notifier.send(f"STATUS={line}"):
            self._told = line


def has_begun(status: Status) -> bool:
    """Whether the first round is over: the proxy was brought to a topology or could not be, or no
    controller responds and nothing is known that could be served."""
    if status.history or status.progress.state in {"idle", "retrying", "held back"}:
        return True
    names = {view.name for view in status.namespaces}
    return status.progress.state == "waiting" and bool(names) and names <= status.absent


def status_line(status: Status) -> str:
    """What `systemctl status` shows: who leads, what is served, when it was applied, what not."""
    apps = status.built.topology.apps
    leading = sum(view.healthy for view in status.namespaces)
    parts = [
        f"{leading} of {count_of(len(status.namespaces), 'namespace')} with a leader",
        f"{count_of(len(apps), 'vhost')}, {count_of(_servers(apps.values()), 'server')}",
        _last_apply(status),
    ]
    if status.absent:
        parts.append(f"no response and no stored state: {', '.join(sorted(status.absent))}")
    if status.restored:
        parts.append(f"from the stored state: {', '.join(sorted(status.restored))}")
    if status.held:
        held = sum(held.servers for held in status.held)
        parts.append(f"{count_of(held, 'server')} held")
    if status.progress.state in {"held back", "retrying"}:
        parts.append(f"{status.progress.state} {status.progress.error}".rstrip())
    return "; ".join(" ".join(part.split()) for part in parts)[:_LONGEST_STATUS]


def _servers(apps: Iterable[App]) -> int:
    return sum(len(app.hosts) for app in apps)


def _last_apply(status: Status) -> str:
    good = next((record for record in status.history if not record.error), None)
    if good is None:
        return "nothing applied yet"
    return f"last apply {datetime.fromtimestamp(good.at, UTC):%Y-%m-%d %H:%M:%SZ}"


def process_notifier() -> Notifier:
    """What systemd asks this process for."""
    return notifier(os.environ, os.getpid())
