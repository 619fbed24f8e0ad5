"""`status --watch`: repeat the status until Ctrl-C."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import click
import msgspec

from drove_gateway.cli.gateway_client import (
    GatewayUnreachable,
    decoded,
    fetch,
    request_async,
    url,
)
from drove_gateway.cli.status.text import lines
from drove_gateway.config import Settings
from drove_gateway.status.document import HeldStatus, StatusDocument

_SECONDS = 1.0
_HOME, _ERASE_LINE, _ERASE_BELOW = "\x1b[H", "\x1b[K", "\x1b[J"


async def redraw(settings: Settings) -> None:
    """Redraw the status every second, as much of it as the terminal shows."""
    click.clear()
    while True:
        size = shutil.get_terminal_size()
        try:
            document = await request_async(settings, "GET", "/v1/status", StatusDocument)
            text = list(lines(document, url(settings), datetime.now(UTC), size.columns))
        except GatewayUnreachable as error:
            text = [click.style(f"{error}", fg="red"), "Retrying every second."]
        drawn = "".join(f"{line}{_ERASE_LINE}\n" for line in visible(text, size.lines - 1))
        click.echo(f"{_HOME}{drawn}{_ERASE_BELOW}", nl=False)
        await asyncio.sleep(_SECONDS)


def visible(lines: Sequence[str], rows: int) -> Sequence[str]:
    """Return what fits into `rows` of a terminal. If not all does, the last row says so."""
    if len(lines) <= rows:
        return lines
    shown = max(rows - 1, 0)
    hint = f"… and {len(lines) - shown} more lines: `drove-gateway status` prints them all"
    return [*lines[:shown], click.style(hint, fg="yellow")][: max(rows, 0)]


async def print_changes(settings: Settings, show: Callable[[bytes], str]) -> None:
    """Print `show(body)` of the status now, and whenever more than ages have changed."""
    before: object = None
    while True:
        try:
            body = await fetch(settings, "GET", "/v1/status")
            now: object = _without_ages(decoded(settings, body, StatusDocument))
            text = show(body)
        except GatewayUnreachable as error:
            now, text = str(error), ""
            if now != before:
                click.secho(f"error: {now}", fg="red", err=True)
        if now != before and text:
            click.echo(text)
        before = now
        await asyncio.sleep(_SECONDS)


def _without_ages(document: StatusDocument) -> StatusDocument:
    """The status without the fields that change although nothing happened."""
    replace = msgspec.structs.replace
    return replace(
        document,
        namespaces=tuple(replace(each, last_sync=None) for each in document.namespaces),
        held=tuple(map(_without_times, document.held)),
    )


def _without_times(held: HeldStatus) -> HeldStatus:
    return msgspec.structs.replace(
        held, believed_in_seconds=0.0, missing_seconds=0.0, known="", ends=""
    )
