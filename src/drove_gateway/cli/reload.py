"""`drove-gateway reload`: have the running gateway fetch and load everything again."""

import asyncio
from pathlib import Path

import click

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import settings_of_running_gateway
from drove_gateway.cli.gateway_client import GatewayUnreachable, fetch, url
from drove_gateway.cli.messages import fail, say


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway reload", "After a manual change of the proxy."),
        ("drove-gateway status --watch", "See the result."),
    ),
    exit_codes={
        0: "The reload is queued.",
        1: "No gateway responds, it refuses the token, or too many reloads are queued; or the "
        "configuration is not valid.",
    },
)
@file_option
def reload(file: Path | None) -> None:
    """Fetch the apps again and load the configuration into the proxy again.

    A proxy that proves by its generation mark that it runs this configuration is not reloaded.

    The command connects to the gateway that runs with the same configuration and does not wait for
    the result; `status` shows it. The gateway itself keeps its settings: to make it read its
    configuration again, send it SIGHUP (`systemctl reload drove-gateway`).
    """
    settings = settings_of_running_gateway(file)
    try:
        response = asyncio.run(fetch(settings, "POST", "/v1/reload"))
    except GatewayUnreachable as error:
        fail(error)
    if response.strip() != b"queued":
        fail(
            GatewayUnreachable(
                f"the gateway at {url(settings)} has too many reloads in its queue, and carries "
                "these out; `drove-gateway status` shows the results"
            )
        )
    say(f"queued at {url(settings)}; `drove-gateway status` shows the result")
