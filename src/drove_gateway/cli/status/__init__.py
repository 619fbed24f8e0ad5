"""`drove-gateway status`: show the state of a running gateway."""

import asyncio
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.configuration import settings_of_running_gateway
from drove_gateway.cli.gateway_client import GatewayUnreachable, decoded, fetch, url
from drove_gateway.cli.messages import fail, warn
from drove_gateway.cli.status.text import is_complete, lines
from drove_gateway.cli.status.watch_mode import print_changes, redraw
from drove_gateway.config import Settings
from drove_gateway.status.document import StatusDocument

_SECONDS_BETWEEN_TRIES = 0.5


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway status", "The gateway that runs with ./nixy.toml."),
        ("drove-gateway status --wait 30", "Wait up to 30 seconds until it is healthy."),
        ("drove-gateway status --watch", "Redraw every second until Ctrl-C."),
        ("drove-gateway status -f lb2.toml --host lb2.example", "A gateway on another machine."),
        (
            "drove-gateway status --json | jq '.history[0].reload_reasons'",
            "For programs: the response of /v1/status, see the HTTP reference.",
        ),
        ("drove-gateway status --watch --json", "A line for each change."),
    ),
    exit_codes={
        0: "The gateway is healthy; with --watch, Ctrl-C ended the command.",
        1: "The gateway is not healthy, does not respond, or refuses the token; or the "
        "configuration cannot be used.",
    },
)
@file_option
@click.option("--host", help="Connect to this machine, if FILE belongs to another machine.")
@click.option("--json", "as_json", is_flag=True, help="Print the response of /v1/status as it is.")
@click.option(
    "--watch", is_flag=True, help="Repeat until Ctrl-C; if not on a terminal, print changes."
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0, max=86_400),
    default=0.0,
    metavar="SECONDS",
    help="Wait at most so long until the gateway is healthy and every vhost is up to date.",
)
def status(file: Path | None, host: str | None, as_json: bool, watch: bool, wait: float) -> None:
    """Show the state of a running gateway: health, namespaces, held servers, changes.

    The output shows who leads in each namespace and when it last responded, how many vhosts and
    servers should be served, the health of the gateway's parts, the withdrawals that the guard
    holds, the input from Drove that was rejected, and the latest changes of the proxy with their
    reasons and durations.

    The command connects to `address` and `port` of the configuration, with its `admin_token`. With
    `port_use_tls` it trusts `port_tls_certfile`, or the system's certificates if that file cannot
    be read.
    """
    settings = settings_of_running_gateway(file)
    if host:
        settings = settings.model_copy(update={"address": host})
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, as_json=as_json))
        return
    try:
        body, document = asyncio.run(_within(settings, wait))
    except GatewayUnreachable as error:
        fail(error)
    if not as_json:
        _warn_of_another_configuration(settings, document)
    click.echo(body if as_json else _text(settings, document), nl=not as_json)
    if not document.healthy:
        sys.exit(1)


def _warn_of_another_configuration(settings: Settings, document: StatusDocument) -> None:
    """Warn if the gateway that responds at this address cannot be the one of this configuration."""
    follows = [each.name for each in document.namespaces]
    configured = [each.name for each in settings.namespaces]
    if follows and set(follows) != set(configured):
        warn(
            f"the gateway at {url(settings)} runs with another configuration: its namespaces are "
            f"{', '.join(follows)}, and those of this configuration are {', '.join(configured)}; "
            "give each gateway a port, or send SIGHUP after a change"
        )


async def _within(settings: Settings, seconds: float) -> tuple[bytes, StatusDocument]:
    """Return the status, as received and decoded, once all is well or `seconds` have passed.

    Raises GatewayUnreachable if the gateway does not respond until then.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while True:
        left = deadline - clock()
        try:
            body = await fetch(settings, "GET", "/v1/status")
            document = decoded(settings, body, StatusDocument)
            if is_complete(document) or left <= 0:
                return body, document
        except GatewayUnreachable:
            if left <= 0:
                raise
        await asyncio.sleep(min(_SECONDS_BETWEEN_TRIES, max(0.0, left)))


async def _watch(settings: Settings, *, as_json: bool) -> None:
    if as_json:
        await print_changes(settings, lambda body: msgspec.json.format(body, indent=-1).decode())
    elif sys.stdout.isatty():
        await redraw(settings)
    else:
        await print_changes(settings, lambda body: _body_text(settings, body))


def _body_text(settings: Settings, body: bytes) -> str:
    return _text(settings, decoded(settings, body, StatusDocument)) + "\n"


def _text(settings: Settings, document: StatusDocument) -> str:
    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    return "\n".join(lines(document, url(settings), datetime.now(UTC), width))
