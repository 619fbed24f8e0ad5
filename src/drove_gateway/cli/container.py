"""`drove-gateway container`: the entry point of a container."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import click

from drove_gateway.cli.command import Command
from drove_gateway.cli.gateway_client import url
from drove_gateway.cli.messages import fail, print_problems, say
from drove_gateway.config import load
from drove_gateway.container import health
from drove_gateway.container.context import requested_setup, this_container
from drove_gateway.container.files import write
from drove_gateway.container.supervisor import Supervisor, open_inbox
from drove_gateway.log.lines import logger
from drove_gateway.model.errors import ConfigError, GatewayError
from drove_gateway.proxies.local import ContainerPlace

_DIRECTORY = click.Path(path_type=Path, file_okay=False)
_ADDRESS = "api-address"


@click.command(
    cls=Command,
    examples=(
        (
            "DROVE_CONTROLLERS=http://controller1:4000 drove-gateway container",
            "Run NGINX and the gateway.",
        ),
        (
            "CONFIG_FILE_PATH=/etc/drove/gateway.toml drove-gateway container",
            "Run the proxy that this file chooses, and the gateway.",
        ),
    ),
    exit_codes={
        0: "A signal ended it and running requests finished; with --health: the gateway responds.",
        1: "It cannot start or keep running; with --health: the gateway does not respond.",
    },
)
@click.option(
    "--directory",
    type=_DIRECTORY,
    default="/run/drove-gateway",
    show_default=True,
    help="Directory for the files of this run: the proxy's configuration, sockets, pid.",
)
@click.option(
    "--state",
    type=_DIRECTORY,
    default="/var/lib/drove-gateway",
    show_default=True,
    help="Directory for files that should outlive the container.",
)
@click.option(
    "--health",
    "ask",
    is_flag=True,
    help="Only check whether the gateway in it answers.",
)
def container(directory: Path, state: Path, ask: bool) -> None:
    """Run a proxy and the gateway together, as the entry point of a container.

    The environment is the configuration: DROVE_CONTROLLERS, or CONFIG_FILE_PATH for a mounted
    file. Both processes are restarted if they end. SIGTERM lets running requests finish, then
    ends everything. SIGHUP reads the configuration again. SIGUSR1 reopens NGINX's log files.
    """
    place = this_container(directory, state)
    try:
        if ask:
            _check_health(place)
        else:
            asyncio.run(_run(place))
    except ConfigError as error:
        print_problems(error)
        sys.exit(1)
    except GatewayError as error:
        fail(error)


async def _run(place: ContainerPlace) -> None:
    inbox = open_inbox(asyncio.get_running_loop())
    # Rendering takes long to import: not for --health, and not before signals are handled.
    from drove_gateway.container.prepare import prepare  # noqa: PLC0415

    prepared = await prepare(os.environ, place)
    write(place.directory / _ADDRESS, url(prepared.settings))
    supervisor = Supervisor(
        prepared.proxy,
        prepared.gateway,
        environ=prepared.setup.environ,
        proxy_environ=prepared.setup.proxy_environ,
        stop_timeout=prepared.setup.stop_timeout,
        inbox=inbox,
        log=logger(
            prepared.settings.loglevel,
            sys.stderr,
            log_format=prepared.settings.log_format,
        ),
    )
    await supervisor.run()


def _check_health(place: ContainerPlace) -> None:
    addresses = _addresses(place)
    for address in addresses:
        if response := asyncio.run(health.answer(address)):
            say(f"the gateway answers: {response}")
            return
    raise GatewayError(f"the gateway does not answer at {' or '.join(addresses) or 'any address'}")


def _addresses(place: ContainerPlace) -> list[str]:
    """Where the gateway may listen: according to its file now, and at its start.

    While somebody edits that file, the gateway keeps the settings that it has.
    """
    addresses = []
    with contextlib.suppress(GatewayError):
        setup = requested_setup(os.environ, place)
        addresses.append(url(load(setup.file, setup.environ).settings))
    with contextlib.suppress(OSError):
        addresses.append((place.directory / _ADDRESS).read_text())
    return list(dict.fromkeys(addresses))
