"""`drove-gateway explain VHOST`: why a vhost is served as it is."""

import asyncio
from difflib import get_close_matches
from pathlib import Path

import click

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import read_configuration
from drove_gateway.cli.endpoint_responses import endpoints_option, live_topology, saved_topology
from drove_gateway.cli.messages import fail, say, warn_of_rejected
from drove_gateway.model.errors import GatewayError
from drove_gateway.model.spelling import vhost_spelling
from drove_gateway.topology.explain import explain as explained


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway explain web.example.com", "From the current responses of the controllers."),
        (
            "drove-gateway explain web.example.com --endpoints stage=answer.json",
            "From a saved response of /apis/v1/endpoints.",
        ),
    ),
    exit_codes={
        0: "The vhost is served.",
        1: "It is not served; or no controller leads, or the configuration is not valid.",
    },
)
@file_option
@endpoints_option
@click.argument("vhost")
def explain(file: Path | None, endpoints: dict[str, Path], vhost: str) -> None:
    """Explain which apps, instances, tags and rules make VHOST what it is.

    The command fetches the endpoints from the leading controllers, as the gateway does. For each
    app of the vhost it prints which hosts are served, what is rejected and by which rule, how host
    groups and namespaces are merged, and which tags a template sees.
    """
    vhost = vhost_spelling(vhost)
    settings = read_configuration(file).settings
    try:
        if endpoints:
            build = saved_topology(settings, endpoints)
        else:
            build = asyncio.run(live_topology(settings))
    except GatewayError as error:
        fail(error)
    say("\n".join(explained(build, vhost)))
    served = {*build.topology.apps, *build.leader_vhosts}
    if vhost not in served:
        # The vhost may be in an entry that could not be read.
        warn_of_rejected([entry for entry in build.rejected if entry.subject in {"answer", "app"}])
        for near in get_close_matches(vhost, served, n=1):
            say(f"Did you mean {near}?")
        raise SystemExit(1)
