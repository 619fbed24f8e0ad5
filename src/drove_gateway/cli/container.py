"""`drove-gateway container`: the entry point of a container."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import click

from drove_gateway.cli.command import Command
from drove_gateway.cli.files import fail, print_problems
from drove_gateway.cli.gateway_api import url
from drove_gateway.config import load
from drove_gateway.container import health
from drove_gateway.container.context import requested_setup, this_container
from drove_gateway.container.files import write
from drove_gateway.container.setup import ContainerContext
from drove_gateway.container.supervisor import Supervisor, open_inbox
from drove_gateway.daemon.log import logger
from drove_gateway.model.errors import ConfigError, GatewayError

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
        0: "A signal ended it, and running requests finished; with --health: the gateway answers.",
        1: "It cannot start, or does not keep going; with --health: the gateway does not answer.",
    },
)
@click.option(
    "--directory",
    type=_DIRECTORY,
    default="/run/drove-gateway",
    show_default=True,
    help="Directory for files of this run: the proxy's configuration, sockets, pid.",
)
@click.option(
    "--state",
    type=_DIRECTORY,
    default="/var/lib/drove-gateway",
    show_default=True,
    help="Directory for what should outlive the container.",
)
@click.option("--health", "ask", is_flag=True, help="Only ask whether the gateway in it answers.")
def container(directory: Path, state: Path, ask: bool) -> None:
    """Run a proxy and the gateway together, as the entry point of a container.

    The environment is the configuration: DROVE_CONTROLLERS, or CONFIG_FILE_PATH for a mounted
    file. Both processes are started again when they end. SIGTERM lets running requests finish
    and ends all; SIGHUP reads the configuration again; SIGUSR1 opens NGINX's log files again.
    """
    place = this_container(directory, state)
    try:
        if ask:
            _ask(place)
        else:
            asyncio.run(_run(place))
    except ConfigError as error:
        print_problems(error)
        sys.exit(1)
    except GatewayError as error:
        fail(error)


async def _run(place: ContainerContext) -> None:
    inbox = open_inbox(asyncio.get_running_loop())
    # What renders takes its time to import: not for --health, and not before signals are taken.
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
        log=logger(prepared.settings.loglevel, sys.stderr),
    )
    await supervisor.run()


def _ask(place: ContainerContext) -> None:
    addresses = _addresses(place)
    for address in addresses:
        if said := asyncio.run(health.answer(address)):
            click.echo(f"the gateway answers: {said}")
            return
    raise GatewayError(f"the gateway does not answer at {' or '.join(addresses) or 'any address'}")


def _addresses(place: ContainerContext) -> list[str]:
    """Where the gateway may listen: as its file says now, and as it said at the start.

    Somebody may be editing that file; the gateway goes on with what it had.
    """
    found = []
    with contextlib.suppress(GatewayError):
        wanted = requested_setup(os.environ, place)
        found.append(url(load(wanted.file, wanted.environ).settings))
    with contextlib.suppress(OSError):
        found.append((place.directory / _ADDRESS).read_text())
    return list(dict.fromkeys(found))
