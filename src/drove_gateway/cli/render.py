"""`drove-gateway render` prints what would be written."""

import asyncio
import os
import socket
from pathlib import Path

import click

from drove_gateway.cli.answers import endpoints_option, live, saved
from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.files import fail, print_problems, read_configuration, warn_of_rejected
from drove_gateway.config import Settings
from drove_gateway.daemon import drivers
from drove_gateway.model.errors import ConfigError, GatewayError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.render import Rendered, context
from drove_gateway.proxies.installation.render import render as render_template


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway render > /tmp/nginx.conf", "What would be written now."),
        (
            "drove-gateway render --endpoints stage=answer.json",
            "From a saved answer, to work on a template.",
        ),
    ),
    exit_codes={
        0: "It was printed.",
        1: "The configuration or the template cannot be used, or no controller leads.",
    },
)
@file_option
@endpoints_option
@click.pass_obj
def render(outer_file: Path | None, file: Path | None, endpoints: dict[str, Path]) -> None:
    """Print the configuration that would be written.

    The template is executed with what the leading controllers tell now, or with saved answers of
    /apis/v1/endpoints. Nothing is checked or changed, and the proxy is not asked; `check` does
    that. What Drove sent and the gateway leaves out is told on stderr.
    """
    settings = read_configuration(file or outer_file).settings
    try:
        text = asyncio.run(_rendered(settings, endpoints))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    except GatewayError as error:
        fail(error)
    click.echo(text.encode(errors="surrogateescape"), nl=False)


async def rendered(settings: Settings, topology: Topology) -> Rendered:
    """What the template makes of `topology` now. Raises RenderError."""
    template = await drivers.template(settings, os.environ)
    data = context(topology, settings, settings.xproxy or socket.gethostname())
    return render_template(template.newest(), data)


async def _rendered(settings: Settings, files: dict[str, Path]) -> str:
    built = saved(settings, files) if files else await live(settings)
    warn_of_rejected(built.rejected)
    return (await rendered(settings, built.topology)).text
