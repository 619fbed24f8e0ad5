"""`drove-gateway explain VHOST`: which apps, instances, tags and rules made a vhost."""

import asyncio
from difflib import get_close_matches
from pathlib import Path

import click

from drove_gateway.cli.answers import endpoints_option, live, saved
from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.files import fail, read_configuration, warn_of_rejected
from drove_gateway.cli.printable import printable
from drove_gateway.model.errors import GatewayError
from drove_gateway.model.spelling import vhost_spelling
from drove_gateway.topology.explain import explain as explained


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway explain web.example.com", "From the controllers, as they answer now."),
        (
            "drove-gateway explain web.example.com --endpoints stage=answer.json",
            "From an answer of /apis/v1/endpoints that was saved.",
        ),
    ),
    exit_codes={
        0: "The vhost is served.",
        1: "It is not; or no controller leads, or the configuration is not valid.",
    },
)
@file_option
@endpoints_option
@click.argument("vhost")
@click.pass_obj
def explain(
    outer_file: Path | None, file: Path | None, endpoints: dict[str, Path], vhost: str
) -> None:
    """Tell which apps, instances, tags and rules make VHOST what it is.

    It asks the leading controllers as the gateway does, and tells for each app of the vhost which
    hosts are taken, what is left out and by which rule, how host groups and namespaces are merged,
    and which tags a template sees.
    """
    vhost = vhost_spelling(vhost)
    settings = read_configuration(file or outer_file).settings
    try:
        built = saved(settings, endpoints) if endpoints else asyncio.run(live(settings))
    except GatewayError as error:
        fail(error)
    click.echo(printable("\n".join(explained(built, vhost))))
    served = {*built.topology.apps, *built.leader_vhosts}
    if vhost not in served:
        # Entries that cannot be read may be what is looked for.
        warn_of_rejected([one for one in built.rejected if one.subject in {"answer", "app"}])
        for near in get_close_matches(vhost, served, n=1):
            click.echo(f"Did you mean {near}?")
        raise SystemExit(1)
