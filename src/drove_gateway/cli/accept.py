"""`drove-gateway accept`: let go what the guard holds."""

from pathlib import Path

import click
import msgspec

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.files import fail, settings_to_ask
from drove_gateway.cli.gateway_api import GatewayUnreachable, ask
from drove_gateway.cli.printable import printable


class _Held(msgspec.Struct):
    namespace: str
    reason: str
    servers: int
    vhosts: list[str]


class _Accepted(msgspec.Struct):
    accepted: list[_Held]


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway status", "See what is held, and why."),
        ("drove-gateway accept -f /etc/drove-gateway/nixy.toml", "Let it go now."),
    ),
    exit_codes={
        0: "The gateway did so, or held nothing.",
        1: "No gateway answers, or it refuses (`admin_token`); or the configuration is not valid.",
    },
)
@file_option
@click.pass_obj
def accept(outer_file: Path | None, file: Path | None) -> None:
    """Have the running gateway take at once what its guard holds back.

    The guard holds an answer that takes too many servers away at once, until the loss has lasted
    for `guard_hold_sec`. Use this when a large withdrawal was meant. It talks to the gateway that
    runs with the same configuration, and prints what was held.
    """
    settings = settings_to_ask(file or outer_file)
    try:
        answer = ask(settings, "POST", "/v1/accept", _Accepted)
    except GatewayUnreachable as error:
        fail(error)
    for held in answer.accepted:
        vhosts = ", ".join(held.vhosts)
        said = f"accepted  namespace {held.namespace}: {held.servers} servers of {vhosts} go"
        click.echo(printable(f"{said}\n          it was held because {held.reason}"))
    if not answer.accepted:
        click.echo("nothing is held")
