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
from drove_gateway.cli.vhost_lines import added_lines, without_others
from drove_gateway.config import Settings
from drove_gateway.model.errors import ConfigError, GatewayError
from drove_gateway.model.spelling import vhost_spelling
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
        ("drove-gateway render --vhost web.example.com", "Only the lines of this vhost."),
    ),
    exit_codes={
        0: "The configuration was printed.",
        1: "The configuration or the template cannot be used, no controller leads, or the vhost is "
        "not served.",
    },
)
@file_option
@endpoints_option
@template_option
@click.option("--vhost", help="Print only the lines that this vhost adds to the configuration.")
def render(
    file: Path | None, endpoints: dict[str, Path], template: Path | None, vhost: str | None
) -> None:
    """Print the configuration that would be written.

    The template is rendered with the current endpoints of the leading controllers, or with saved
    responses of /apis/v1/endpoints. Nothing is checked or changed and the proxy is not contacted;
    use `check` for that. Rejected input from Drove is reported on stderr. With --vhost, the
    template is rendered with that vhost alone and without any, and the difference is printed.
    """
    settings = read_configuration(file).settings
    try:
        text = asyncio.run(_rendered(settings, endpoints, template, vhost))
    except ConfigError as error:
        print_problems(error)
        raise SystemExit(1) from error
    except GatewayError as error:
        fail(error)
    click.echo(text.encode(errors="surrogateescape"), nl=False)


async def rendered(file: ConfiguredFile, topology: Topology) -> Rendered:
    """Return the configuration for `topology` as it would be written. Raises RenderError."""
    return await file.rendered(topology, os.environ, socket.gethostname())


async def _rendered(
    settings: Settings, files: dict[str, Path], template: Path | None, vhost: str | None
) -> str:
    built = saved_topology(settings, files) if files else await live_topology(settings)
    warn_of_rejected(built.rejected)
    file = with_template(kind_of(settings).file, template)
    if file is None:
        return ""
    if vhost is not None:
        return await _rendered_vhost(file, built.topology, vhost_spelling(vhost))
    return (await rendered(file, built.topology)).text


async def _rendered_vhost(file: ConfiguredFile, topology: Topology, vhost: str) -> str:
    app = topology.apps.get(vhost)
    if app is None:
        raise GatewayError(f"no app is served as {vhost}; `drove-gateway explain {vhost}` says why")
    alone = await rendered(file, without_others(topology, app))
    none = await rendered(file, without_others(topology, None))
    before = none.text.replace(none.generation, alone.generation)
    return "".join(f"{line}\n" for line in added_lines(before, alone.text))
