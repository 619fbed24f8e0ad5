"""Read the configuration for a command; exit with 1 if it cannot be used."""

import os
import sys
from pathlib import Path

from drove_gateway.cli.command import DEFAULT_FILE, SYSTEM_FILES
from drove_gateway.cli.messages import print_problems, say, warn
from drove_gateway.config import Loaded, Settings, load
from drove_gateway.model.errors import ConfigError

_NOWHERE = (
    f"Without -f, commands read {DEFAULT_FILE} in the current directory, then "
    f"{', '.join(map(str, SYSTEM_FILES))}. Name another file with -f, or write one with "
    "`drove-gateway init haproxy` or `drove-gateway init nginx`."
)


def configuration_of_daemon(file: Path | None) -> Loaded:
    """Read the configuration of `file`, or of the environment if None. The daemon logs its
    warnings."""
    return _load(file, runs_here=True)


def read_configuration(file: Path | None, *, contacts_proxy: bool = False) -> Loaded:
    """Read the configuration as for the daemon, and print its warnings: with `contacts_proxy` also
    those about sockets that the proxy has not created yet."""
    loaded = _load(file, runs_here=True)
    for notice in (*loaded.warnings, *(loaded.waiting if contacts_proxy else ())):
        warn(notice.text, level=notice.level)
    return loaded


def settings_of_running_gateway(file: Path | None) -> Settings:
    """Read the settings of a gateway to connect to; files that only it needs may be absent."""
    return _load(file, runs_here=False).settings


def _load(file: Path | None, *, runs_here: bool) -> Loaded:
    try:
        return load(file, os.environ, runs_here=runs_here)
    except ConfigError as error:
        print_problems(error)
        if file == DEFAULT_FILE and not file.exists():
            say(_NOWHERE, stderr=True)
        sys.exit(1)
