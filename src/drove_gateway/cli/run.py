"""Run the daemon in the foreground."""

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from drove_gateway.cli.configuration import configuration_of_daemon
from drove_gateway.cli.messages import print_problems, warn
from drove_gateway.daemon.app import run
from drove_gateway.daemon.systemd import process_notifier
from drove_gateway.log.libraries import libraries_logged
from drove_gateway.log.lines import logger
from drove_gateway.model.errors import ConfigError
from drove_gateway.process.signals import ignore_until_handled


def run_daemon(file: Path | None, ignored: Sequence[str] = ()) -> None:
    """Run until a signal ends the daemon; exit with 1 if the configuration cannot be used.

    `ignored` are words of the command line without a meaning.
    """
    ignore_until_handled()
    if ignored:
        warn(f"words without a meaning on the command line are ignored: {' '.join(ignored)}")
    loaded = configuration_of_daemon(file)
    settings = loaded.settings
    log = logger(settings.loglevel, sys.stderr, log_format=settings.log_format)
    try:
        with libraries_logged(log):
            asyncio.run(run(file, loaded, os.environ, log, process_notifier()))
    except* ConfigError as group:
        for error in group.exceptions:
            if isinstance(error, ConfigError):
                print_problems(error)
        sys.exit(1)
