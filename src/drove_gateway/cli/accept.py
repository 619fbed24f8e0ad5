"""`drove-gateway accept`: apply held withdrawals."""

from pathlib import Path

import click

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import settings_of_running_gateway
from drove_gateway.cli.gateway_client import GatewayUnreachable, request
from drove_gateway.cli.messages import fail, say
from drove_gateway.model.wording import count_of
from drove_gateway.status.document import AcceptedWithdrawals


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway status", "See what is held, and why."),
        ("drove-gateway accept -f /etc/drove-gateway/nixy.toml", "Apply it immediately."),
    ),
    exit_codes={
        0: "The withdrawals are applied, or none was held.",
        1: "No gateway responds, or it refuses the token; or the configuration is not valid.",
    },
)
@file_option
def accept(file: Path | None) -> None:
    """Apply the withdrawals that the running gateway's guard holds, immediately.

    The guard holds a response that removes too many servers at once until they have been missing
    for `guard_hold_sec`. Use this command if a large withdrawal was intended. It connects to the
    gateway that runs with the same configuration, and prints what was held.
    """
    settings = settings_of_running_gateway(file)
    try:
        response = request(settings, "POST", "/v1/accept", AcceptedWithdrawals)
    except GatewayUnreachable as error:
        fail(error)
    for held in response.accepted:
        servers = count_of(held.servers, "server")
        say(
            f"accepted  namespace {held.namespace}: {servers} of {', '.join(held.vhosts)} "
            f"removed\n          held until now because {held.reason}"
        )
    if not response.accepted:
        say("nothing is held")
