"""What reading looks like on a terminal: the configuration's notices, and what went wrong."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from drove_gateway.cli.printable import printable
from drove_gateway.config import Loaded, Settings, load
from drove_gateway.model.errors import ConfigError, GatewayError
from drove_gateway.model.vocabulary import Rejection

DEFAULT = Path("nixy.toml")
# So that what matters stays on one screen.
_MOST_REJECTED = 20


def configuration_path(file: Path | None) -> Path | None:
    """The file to read; None where the environment alone is the configuration."""
    if file is not None:
        return file
    if not DEFAULT.exists() and "DROVE_CONTROLLERS" in os.environ:
        return None
    return DEFAULT


def read_configuration(file: Path | None) -> Loaded:
    """The configuration, its notices printed; exits with 1 when it cannot be used."""
    try:
        loaded = load(configuration_path(file), os.environ)
    except ConfigError as error:
        print_problems(error)
        sys.exit(1)
    for notice in loaded.warnings:
        warn(notice.text, level=notice.level)
    return loaded


def settings_to_ask(file: Path | None) -> Settings:
    """The settings of a gateway that is only asked; exits with 1 when they cannot be used."""
    try:
        return load(configuration_path(file), os.environ, runs_here=False).settings
    except ConfigError as error:
        print_problems(error)
        sys.exit(1)


def warn(text: str, *, level: str = "warning") -> None:
    """Something that deserves a look, though the command goes on."""
    click.secho(printable(f"{level}: {text}"), fg="yellow", err=True)


def warn_of_rejected(rejected: Sequence[Rejection], most: int = _MOST_REJECTED) -> None:
    """What Drove sent and the gateway leaves out, each with the reason."""
    for one in rejected[:most]:
        warn(
            f"left out: namespace {one.namespace}, app {one.app_id}: {one.subject} "
            f"{one.value!r}: {one.reason}"
        )
    if len(rejected) > most:
        warn(f"left out: and {len(rejected) - most} more")


def print_problems(error: ConfigError) -> None:
    """Every problem, a line each."""
    for problem in error.problems:
        click.secho(printable(f"error: {problem}"), fg="red", err=True)


def fail(error: GatewayError) -> NoReturn:
    """Say what went wrong and exit with 1."""
    click.secho(printable(f"error: {error}"), fg="red", err=True)
    sys.exit(1)
