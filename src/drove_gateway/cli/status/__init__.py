"""`drove-gateway status`: what a running gateway knows, did, and holds back."""

import asyncio
import shutil
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from drove_gateway.cli.command import Command, file_option
from drove_gateway.cli.files import fail, settings_to_ask
from drove_gateway.cli.gateway_api import GatewayUnreachable, fetch, url
from drove_gateway.cli.status.text import lines
from drove_gateway.cli.status.watch import follow, redraw
from drove_gateway.config import Settings
from drove_gateway.status.document import StatusDocument


@click.command(
    cls=Command,
    examples=(
        ("drove-gateway status", "Of the gateway that runs with ./nixy.toml."),
        ("drove-gateway status --watch", "Redrawn every second, until Ctrl-C."),
        ("drove-gateway status -f lb2.toml --host lb2.example", "Of another machine's gateway."),
        (
            "drove-gateway status --json | jq '.history[0].reload_reasons'",
            "For programs: the answer of /v1/status, which the HTTP API's reference explains.",
        ),
        ("drove-gateway status --watch --json", "One line for each change."),
    ),
    exit_codes={
        0: "The gateway is healthy; with --watch, Ctrl-C ended it.",
        1: "It is not healthy, does not answer, or wants another token; or the configuration "
        "cannot be used.",
    },
)
@file_option
@click.option("--host", help="The machine to ask, where FILE is another machine's.")
@click.option("--json", "as_json", is_flag=True, help="The answer of /v1/status, as it came.")
@click.option("--watch", is_flag=True, help="Go on until Ctrl-C; without a terminal, on change.")
@click.pass_obj
def status(
    outer_file: Path | None, file: Path | None, host: str | None, as_json: bool, watch: bool
) -> None:
    """Show what a running gateway knows, did, and holds back.

    Who leads in each namespace and when it last answered, how many vhosts and servers should be
    served, what of the gateway is healthy, which withdrawals the guard holds, what Drove sent that
    is left out, and the last times that the proxy was changed: why, and how long each stage took.

    It asks the HTTP API at `address` and `port` of the configuration, with its `admin_token`. With
    `port_use_tls` it trusts `port_tls_certfile`, or, where that cannot be read, what this machine
    trusts.
    """
    settings = settings_to_ask(file or outer_file)
    if host:
        settings = settings.model_copy(update={"address": host})
    if watch:
        with suppress(KeyboardInterrupt):
            asyncio.run(_watch(settings, as_json=as_json))
        return
    try:
        body = asyncio.run(fetch(settings, "GET", "/v1/status"))
        document = msgspec.json.decode(body, type=StatusDocument)
    except GatewayUnreachable as error:
        fail(error)
    except msgspec.DecodeError:
        fail(GatewayUnreachable(f"what answers at {url(settings)} is no gateway"))
    click.echo(body if as_json else _text(settings, document), nl=not as_json)
    if not document.healthy:
        sys.exit(1)


async def _watch(settings: Settings, *, as_json: bool) -> None:
    if as_json:
        await follow(settings, lambda body: msgspec.json.format(body, indent=-1).decode())
    elif sys.stdout.isatty():
        await redraw(settings)
    else:
        await follow(settings, lambda body: _of(settings, body))


def _of(settings: Settings, body: bytes) -> str:
    return _text(settings, msgspec.json.decode(body, type=StatusDocument)) + "\n"


def _text(settings: Settings, document: StatusDocument) -> str:
    width = shutil.get_terminal_size(fallback=(100, 24)).columns
    return "\n".join(lines(document, url(settings), datetime.now(UTC), width))
