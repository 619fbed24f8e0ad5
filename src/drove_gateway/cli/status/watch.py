"""`status --watch`: the status again and again, until Ctrl-C."""

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, datetime

import click
import msgspec

from drove_gateway.cli.gateway_api import GatewayUnreachable, fetch, url
from drove_gateway.cli.status.text import lines
from drove_gateway.config import Settings
from drove_gateway.status.document import StatusDocument

_SECONDS = 1.0
_HOME, _ERASE_LINE, _ERASE_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


async def redraw(settings: Settings) -> None:
    """Draw the status over itself every second, as much as the terminal shows."""
    click.clear()
    while True:
        size = shutil.get_terminal_size()
        try:
            document = msgspec.json.decode(
                await fetch(settings, "GET", "/v1/status"), type=StatusDocument
            )
            text = list(lines(document, url(settings), datetime.now(UTC), size.columns))
        except (GatewayUnreachable, msgspec.DecodeError) as error:
            text = [click.style(f"{error}", fg="red"), "Trying again every second."]
        drawn = "".join(f"{line}{_ERASE_LINE}\n" for line in text[: size.lines - 1])
        click.echo(f"{_HOME}{drawn}{_ERASE_BELOW}", nl=False)
        await asyncio.sleep(_SECONDS)


async def follow(settings: Settings, show: Callable[[bytes], str]) -> None:
    """Print what `show` makes of the status, now and whenever more than ages changed."""
    before: object = None
    while True:
        try:
            body = await fetch(settings, "GET", "/v1/status")
            now: object = _lasting(body)
            text = show(body)
        except (GatewayUnreachable, msgspec.DecodeError) as error:
            now, text = str(error), ""
            if now != before:
                click.secho(f"error: {now}", fg="red", err=True)
        if now != before and text:
            click.echo(text)
        before = now
        await asyncio.sleep(_SECONDS)


def _lasting(body: bytes) -> StatusDocument:
    """The status without what changes although nothing happened."""
    document = msgspec.json.decode(body, type=StatusDocument)
    replace = msgspec.structs.replace
    return replace(
        document,
        namespaces=tuple(replace(one, last_sync=None) for one in document.namespaces),
        held=tuple(replace(one, believed_in_seconds=0.0) for one in document.held),
    )
