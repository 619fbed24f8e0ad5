"""The daemon: runs one gateway at a time, with the current configuration, until a signal."""

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from signal import Signals

from drove_gateway.config import Loaded, load_again
from drove_gateway.daemon.gateway import Gateway, first_status
from drove_gateway.daemon.systemd import Notifier, Service
from drove_gateway.daemon.tasks import StartInterrupted
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import ConfigError
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.process.ending import end_within
from drove_gateway.process.signals import ENDING, SignalQueue
from drove_gateway.state.journal import Journal
from drove_gateway.status.publisher import StatusPublisher

STOP_SECONDS = 10.0
"""The daemon has ended this long after SIGTERM, whatever the proxy, a disk or a client does."""

REPLACE_SECONDS = 30.0
"""A gateway has ended this long after SIGHUP brought another configuration; it takes 14 s at most,
unless one of its tasks does not end."""

_LONGEST_PROXY_RESTART_SECONDS = 300.0

_NOTICES = {
    "warning": LogEvent.CONFIGURATION_REVIEW,
    "error": LogEvent.CONFIGURATION_VALUE_REPLACED,
}


async def run(
    file: Path | None,
    loaded: Loaded,
    environ: Mapping[str, str],
    log: EventLog,
    notifier: Notifier,
) -> None:
    """Run the daemon until SIGTERM or SIGINT. Raises ConfigError when the API cannot listen.

    SIGHUP reads configuration and template again; a configuration that cannot be used is
    reported, and the previous configuration stays. Between SIGUSR1 and SIGUSR2 nothing begins on
    the proxy.
    """
    daemon = _Daemon(file, loaded, environ, log, notifier)
    daemon.signals.open(asyncio.get_running_loop())
    beside = [asyncio.create_task(work) for work in (daemon.service.run(), daemon.end_in_time())]
    try:
        await daemon.run()
    finally:
        for task in beside:
            task.cancel()
        await asyncio.wait(beside)


class _Daemon:
    def __init__(
        self,
        file: Path | None,
        loaded: Loaded,
        environ: Mapping[str, str],
        log: EventLog,
        notifier: Notifier,
    ) -> None:
        self.signals = SignalQueue()
        self.service = Service(notifier, lambda: self._publisher.current, self._alive)
        self._file = file
        self._loaded = loaded
        self._environ = environ
        self._log = log
        self._publisher = StatusPublisher(first_status(loaded.settings))
        self._gateway: Gateway | None = None
        self._proven: Loaded | None = None
        self._held_until = 0.0

    async def run(self) -> None:
        about = self._publisher.current.about
        metrics = Metrics(version=about.version, commit=about.commit)
        known: dict[str, Snapshot] = {}
        journal = Journal()
        ending = False
        while not ending:
            for notice in (*self._loaded.warnings, *self._loaded.waiting):
                self._log.write(_NOTICES[notice.level], problem=notice.text)
            gateway = Gateway(
                self._loaded.settings,
                self._environ,
                self._log,
                metrics,
                self._publisher,
                known,
                journal,
            )
            try:
                ending = await self._run_until_changed(gateway)
            except StartInterrupted:
                ending = True
            except ConfigError as error:
                self._go_back(error)
        self._log.write(LogEvent.GATEWAY_STOPPED)

    async def end_in_time(self) -> None:
        """Wait until the daemon should end, report that, and let nothing delay it for long,
        whatever the daemon does at that moment."""
        await self.signals.ending()
        self.service.stopping()
        end_within(STOP_SECONDS, lambda: self._log.write(LogEvent.STOP_ABANDONED))

    async def _run_until_changed(self, gateway: Gateway) -> bool:
        """Run the gateway until there is another configuration, or (True) the daemon should end.

        A gateway that cannot end would neither serve nor make room for the next: then the process
        ends, to be started again.
        """
        async with gateway.running(self.signals.ending):
            self._at_work(gateway)
            ending = await self._until_changed(gateway)
            ended = end_within(
                REPLACE_SECONDS, lambda: self._log.write(LogEvent.CHANGE_ABANDONED), code=1
            )
        ended()
        return ending

    def _at_work(self, gateway: Gateway) -> None:
        self._gateway, self._proven = gateway, self._loaded
        left = self._held_until - time.monotonic()
        if left > 0:
            gateway.hold_back(left)
        self.service.reloaded()

    def _go_back(self, error: ConfigError) -> None:
        """Take the configuration that worked before. Raises the error where there is none."""
        if self._proven is None or self._loaded is self._proven:
            raise error
        self._complain(error)
        self._loaded = self._proven

    def _complain(self, error: ConfigError) -> None:
        for problem in error.problems:
            self._log.write(LogEvent.CONFIGURATION_REFUSED, problem=problem)

    async def _until_changed(self, gateway: Gateway) -> bool:
        """Obey signals until there is another configuration, or (True) the daemon should end."""
        while True:
            number = await self.signals.next()
            if number in ENDING:
                return True
            if number is Signals.SIGHUP and self._reread(gateway):
                return False
            if number is Signals.SIGUSR1:
                self._held_until = time.monotonic() + _LONGEST_PROXY_RESTART_SECONDS
                gateway.hold_back(_LONGEST_PROXY_RESTART_SECONDS)
                self._log.write(
                    LogEvent.PROXY_RESTART_ANNOUNCED,
                    limit_sec=_LONGEST_PROXY_RESTART_SECONDS,
                )
            if number is Signals.SIGUSR2:
                self._held_until = 0.0
                self._log.write(LogEvent.PROXY_RESTART_ENDED)
                gateway.resume("SIGUSR2")

    def _reread(self, gateway: Gateway) -> bool:
        """Read the configuration again; whether it changed and can be used."""
        self.service.reloading()
        try:
            fresh = load_again(self._file, self._environ)
        except ConfigError as error:
            self._complain(error)
            self.service.reloaded()
            return False
        if fresh.settings != self._loaded.settings:
            self._log.write(LogEvent.CONFIGURATION_CHANGED)
            self._loaded = fresh
            return True
        self._log.write(LogEvent.CONFIGURATION_UNCHANGED)
        gateway.reread("SIGHUP")
        self.service.reloaded()
        return False

    def _alive(self) -> bool:
        return self._gateway is None or self._gateway.alive()
