"""`drove-gateway render`: print the configuration that would be written."""

import asyncio
import os
import socket
from pathlib import Path

import click

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import read_configuration
from drove_gateway.cli.endpoint_responses import endpoints_option, live_topology, saved_topology
from drove_gateway.cli.messages import fail, print_problems, warn_of_rejected
from drove_gateway.cli.template_choice import template_option, with_template
from drove_gateway.config import Settings
from drove_gateway.model.errors import ConfigError, GatewayError
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.installation.render import Rendered
from drove_gateway.proxies.registry import kind_of


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway render > /tmp/nginx.conf", "The configuration that would be written now."),
        (
            "drove-gateway render --endpoints stage=answer.json",
            "From a saved response, to work on a template.",
        ),
        ("drove-gateway render --template new.tmpl", "With a template that is not live yet."),
    ),
    exit_codes={
        0: "The configuration was printed.",
        1: "The configuration or the template cannot be used, or no controller leads.",
    },
)
@file_option
@endpoints_option
@template_option
def render(file: Path | None, endpoints: dict[str, Path], template: Path | None) -> None:
    """Print the configuration that would be written.

    The template is rendered with the current endpoints of the leading controllers, or with saved
    responses of /apis/v1/endpoints. Nothing is checked or changed and the proxy is not contacted;
    use `check` for that. Rejected input from Drove is reported on stderr.
    """
    settings = read_configuration(file).settings
    try:
        text = asyncio.run(_rendered(settings, endpoints, template))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    except GatewayError as error:
        fail(error)
    click.echo(text.encode(errors="surrogateescape"), nl=False)


async def rendered(file: ConfiguredFile, topology: Topology) -> Rendered:
    """Return the configuration for `topology` as it would be written. Raises RenderError."""
    return await file.rendered(topology, os.environ, socket.gethostname())


async def _rendered(settings: Settings, files: dict[str, Path], template: Path | None) -> str:
    built = saved_topology(settings, files) if files else await live_topology(settings)
    warn_of_rejected(built.rejected)
    file = with_template(kind_of(settings).file, template)
    return (await rendered(file, built.topology)).text if file else ""
