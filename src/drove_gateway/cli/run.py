"""Run the daemon in the foreground."""

import asyncio
import os
import sys
from pathlib import Path

from drove_gateway.cli.configuration import read_configuration
from drove_gateway.cli.messages import print_problems
from drove_gateway.daemon.app import run
from drove_gateway.daemon.log import logger
from drove_gateway.daemon.signals import ignore_until_handled
from drove_gateway.daemon.systemd import process_notifier
from drove_gateway.model.errors import ConfigError


def run_daemon(file: Path | None) -> None:
    """Run until a signal ends the daemon; exit with 1 if the configuration cannot be used."""
    ignore_until_handled()
    loaded = read_configuration(file)
    log = logger(loaded.settings.loglevel, sys.stderr)
    try:
        asyncio.run(run(file, loaded, os.environ, log, process_notifier()))
    except* ConfigError as group:
        for error in group.exceptions:
            if isinstance(error, ConfigError):
                print_problems(error)
        sys.exit(1)
