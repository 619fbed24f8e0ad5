"""`drove-gateway explain VHOST`: which apps, instances, tags and rules made a vhost."""

import asyncio
from pathlib import Path

import click

from drove_gateway.cli.answers import endpoints_option, live, saved
from drove_gateway.cli.files import fail, file_option, read_configuration
from drove_gateway.errors import GatewayError
from drove_gateway.explain import explain as explained


@click.command()
@file_option
@endpoints_option
@click.argument("vhost")
@click.pass_obj
def explain(
    outer_file: Path | None, file: Path | None, endpoints: dict[str, Path], vhost: str
) -> None:
    """Tell which apps, instances, tags and rules make VHOST what it is.

    Exit code 0 when it is served, 1 when it is not.
    """
    settings = read_configuration(file or outer_file).settings
    try:
        built = saved(settings, endpoints) if endpoints else asyncio.run(live(settings))
    except GatewayError as error:
        fail(error)
    click.echo("\n".join(explained(built, vhost)))
    leaders = {one.leader_vhost.lower() for one in built.topology.namespaces.values()}
    if vhost.lower() not in built.topology.apps and vhost.lower() not in leaders - {""}:
        raise SystemExit(1)
