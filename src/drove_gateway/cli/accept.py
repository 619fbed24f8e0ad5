"""`drove-gateway accept`: let go what the guard holds."""

from pathlib import Path

import click
import msgspec

from drove_gateway.cli.files import fail, file_option, read_configuration
from drove_gateway.cli.gateway_api import GatewayUnreachable, ask


class _Held(msgspec.Struct):
    namespace: str
    reason: str
    servers: int
    vhosts: list[str]


class _Accepted(msgspec.Struct):
    accepted: list[_Held]


@click.command()
@file_option
@click.pass_obj
def accept(outer_file: Path | None, file: Path | None) -> None:
    """Have the running gateway take at once what its guard holds back.

    Use it when a large withdrawal was meant. It talks to the gateway that runs with the same
    configuration, and prints what was held.

    Exit code 0 when the gateway did so, also when nothing was held; 1 when it cannot be reached
    or refuses.
    """
    settings = read_configuration(file or outer_file).settings
    try:
        answer = ask(settings, "POST", "/v1/accept", _Accepted)
    except GatewayUnreachable as error:
        fail(error)
    for held in answer.accepted:
        vhosts = ", ".join(held.vhosts)
        click.echo(f"accepted  namespace {held.namespace}: {held.servers} servers of {vhosts} go")
        click.echo(f"          it was held because {held.reason}")
    if not answer.accepted:
        click.echo("nothing is held")
