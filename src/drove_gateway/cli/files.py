"""The option `-f`, and what reading the configuration looks like on a terminal."""

import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from drove_gateway.config import Loaded, load
from drove_gateway.errors import ConfigError, GatewayError

FILE = click.Path(path_type=Path, dir_okay=False)
DEFAULT = Path("nixy.toml")


def file_option(function: click.decorators.FC) -> click.decorators.FC:
    """`-f FILE` of a sub-command; it may also stand before the command."""
    return click.option("-f", "file", type=FILE, help="Configuration file.  [default: nixy.toml]")(
        function
    )


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
        click.secho(f"{notice.level}: {notice.text}", fg="yellow", err=True)
    return loaded


def print_problems(error: ConfigError) -> None:
    """Every problem, a line each."""
    for problem in error.problems:
        click.secho(f"error: {problem}", fg="red", err=True)


def fail(error: GatewayError) -> NoReturn:
    """Say what went wrong and exit with 1."""
    click.secho(f"error: {error}", fg="red", err=True)
    sys.exit(1)
