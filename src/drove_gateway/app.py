"""The daemon: one gateway at a time, with the configuration as it is, until a signal ends it."""

import asyncio
import signal
from collections.abc import Mapping
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from drove_gateway.config import Loaded, load
from drove_gateway.errors import ConfigError
from drove_gateway.gateway import Board, Gateway, first_status
from drove_gateway.metrics import Metrics
from drove_gateway.model import Snapshot


class Signals:
    """What the operating system asked for. `stop` ends the daemon, `hangup` reads files again."""

    def __init__(self) -> None:
        self.stop = False
        self.hangup = False
        self._came = asyncio.Event()

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        """Take SIGTERM, SIGINT and SIGHUP from now on."""
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._take, "stop")
        loop.add_signal_handler(signal.SIGHUP, self._take, "hangup")

    async def wait(self) -> None:
        """Wait until one came that was not waited for yet."""
        await self._came.wait()
        self._came.clear()

    def _take(self, name: str) -> None:
        setattr(self, name, True)
        self._came.set()


async def run(
    file: Path | None, loaded: Loaded, environ: Mapping[str, str], log: FilteringBoundLogger
) -> None:
    """Run the daemon until SIGTERM or SIGINT. SIGHUP reads configuration and template again.

    A changed configuration that cannot be used is reported, and the old one goes on. Raises
    ConfigError when the HTTP API cannot listen.
    """
    signals = Signals()
    signals.install(asyncio.get_running_loop())
    board = Board(first_status(loaded.settings))
    about = board.current.about
    metrics = Metrics(version=about.version, commit=about.commit)
    known: dict[str, Snapshot] = {}
    while not signals.stop:
        for notice in loaded.warnings:
            (log.error if notice.level == "error" else log.warning)(notice.text)
        gateway = Gateway(loaded.settings, environ, log, metrics, board, known)
        async with gateway.running():
            loaded = await _until_changed(gateway, file, loaded, environ, signals, log)
    log.info("stopped, traffic stays as it is")


async def _until_changed(
    gateway: Gateway,
    file: Path | None,
    loaded: Loaded,
    environ: Mapping[str, str],
    signals: Signals,
    log: FilteringBoundLogger,
) -> Loaded:
    """The configuration to go on with, once another one is there or the daemon should stop."""
    while True:
        await signals.wait()
        if signals.stop:
            return loaded
        signals.hangup = False
        fresh = _reread(file, environ, log)
        if fresh is not None and fresh.settings != loaded.settings:
            log.info("SIGHUP: the configuration changed")
            return fresh
        if fresh is not None:
            log.info("SIGHUP: the configuration is the same; asking and applying again")
            gateway.refresh("SIGHUP")


def _reread(
    file: Path | None, environ: Mapping[str, str], log: FilteringBoundLogger
) -> Loaded | None:
    try:
        return load(file, environ)
    except ConfigError as error:
        for problem in error.problems:
            log.warning("SIGHUP: the configuration stays as it was", problem=problem)
        return None
