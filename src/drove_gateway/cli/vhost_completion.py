"""Complete the name of a vhost in the shell, from the running gateway."""

import asyncio
import os
from pathlib import Path
from urllib.parse import quote

import click
from click.shell_completion import CompletionItem

from drove_gateway.cli.command import default_file

# The wait after a press of Tab is noticed; without names the shell stays usable.
_SECONDS = 0.5
_MOST_NAMES = 200


def complete_vhost(
    context: click.Context, _: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the vhosts that begin with `incomplete`; none where no gateway responds in time."""
    # Reading a configuration takes a while, which completion of other words must not.
    from drove_gateway.cli.gateway_client import request_async  # noqa: PLC0415
    from drove_gateway.config import load  # noqa: PLC0415
    from drove_gateway.model.errors import GatewayError  # noqa: PLC0415
    from drove_gateway.status.explain_document import VhostNames  # noqa: PLC0415

    async def names() -> VhostNames:
        async with asyncio.timeout(_SECONDS):
            path = f"/v1/vhosts?limit={_MOST_NAMES}&prefix={quote(incomplete, safe='')}"
            return await request_async(settings, "GET", path, VhostNames)

    try:
        settings = load(_file(context), os.environ, runs_here=False).settings
        found = asyncio.run(names()).vhosts
    except (GatewayError, OSError, TimeoutError):
        return []
    return [CompletionItem(name) for name in found]


def _file(context: click.Context) -> Path | None:
    """The configuration file, as the command would read it."""
    contexts = (context, context.parent)
    named = (each.params.get("file") for each in contexts if each is not None)
    file: Path | None = next((file for file in named if file), None)
    return file or default_file(os.environ)
