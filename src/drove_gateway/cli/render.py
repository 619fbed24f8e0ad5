"""`drove-gateway render` prints what would be written."""

import asyncio
import os
import socket
from pathlib import Path

import click

from drove_gateway import drivers
from drove_gateway.cli.answers import endpoints_option, live, saved
from drove_gateway.cli.files import fail, file_option, print_problems, read_configuration
from drove_gateway.config import Settings
from drove_gateway.errors import ConfigError, GatewayError
from drove_gateway.model import Topology
from drove_gateway.render import Rendered, context
from drove_gateway.render import render as render_template


@click.command()
@file_option
@endpoints_option
@click.pass_obj
def render(outer_file: Path | None, file: Path | None, endpoints: dict[str, Path]) -> None:
    """Print the configuration that would be written, from live controllers or saved answers."""
    settings = read_configuration(file or outer_file).settings
    try:
        text = asyncio.run(_rendered(settings, endpoints))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    except GatewayError as error:
        fail(error)
    click.echo(text, nl=False)


async def rendered(settings: Settings, topology: Topology) -> Rendered:
    """What the template makes of `topology` now. Raises RenderError."""
    template = await drivers.template(settings, os.environ)
    data = context(topology, settings, settings.xproxy or socket.gethostname())
    return render_template(template.newest(), data)


async def _rendered(settings: Settings, files: dict[str, Path]) -> str:
    built = saved(settings, files) if files else await live(settings)
    for one in built.rejected:
        click.secho(
            f"left out: namespace {one.namespace}, app {one.app_id}: {one.subject} "
            f"{one.value!r}: {one.reason}",
            fg="yellow",
            err=True,
        )
    return (await rendered(settings, built.topology)).text
