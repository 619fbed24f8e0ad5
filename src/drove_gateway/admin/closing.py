"""The end of the API: streams end first, so that nothing waits for an open page."""

import asyncio

from aiohttp import web

CLOSING = web.AppKey("closing", asyncio.Event)
"""Is set when the application stops."""


def announce_closing(app: web.Application) -> None:
    """Have `CLOSING` set when `app` stops, before its running requests are waited for."""
    app[CLOSING] = asyncio.Event()
    app.on_shutdown.append(_announce)


async def _announce(app: web.Application) -> None:
    app[CLOSING].set()
