"""Prove that the proxy serves a configuration generation, by querying its id.

Exit code 0 of a reload proves nothing: `nginx -s reload` also returns 0 if a port cannot be bound,
and the old generation keeps serving. A template with a generation mark (`render`) makes the proxy
return the id of its generation.
"""

import asyncio
from typing import Protocol

import aiohttp

from drove_gateway.model.errors import GenerationUnproven

_PAUSE_SECONDS = 0.01
_RESPONSE_SECONDS = 1.0
_MOST_BYTES = 80
_OK = 200
_NO_RESPONSE = "no response"


class Prove(Protocol):
    """Waits until the proxy returns `generation` at `url`, at most `timeout` seconds."""

    async def __call__(self, url: str, generation: str, *, timeout: float) -> None: ...


class Ask(Protocol):
    """Returns the generation that the proxy serves at `url`; None if it does not respond."""

    async def __call__(self, url: str) -> str | None: ...


async def ask(url: str) -> str | None:
    """Query once which generation the proxy serves."""
    connector, address = _connect(url)
    async with aiohttp.ClientSession(connector=connector) as session:
        generation = await _ask(session, address)
    return None if generation.startswith(_NO_RESPONSE) else generation


async def prove(url: str, generation: str, *, timeout: float) -> None:
    """Query the proxy until it serves `generation`.

    `url` is `http://…` or `unix:SOCKET:/path`. Raises GenerationUnproven after `timeout` seconds;
    the message contains the last response.
    """
    connector, address = _connect(url)
    last = "nothing"
    async with aiohttp.ClientSession(connector=connector) as session:
        try:
            async with asyncio.timeout(timeout):
                while (last := await _ask(session, address)) != generation:  # noqa: ASYNC110
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError as error:
            raise GenerationUnproven(
                f"generation {generation} is not served at {url} {timeout:.1f} s after the reload "
                f"(last response: {last or 'empty'}): the proxy keeps its old configuration; "
                "check its error log, often a port is in use"
            ) from error


async def _ask(session: aiohttp.ClientSession, address: str) -> str:
    try:
        limit = aiohttp.ClientTimeout(total=_RESPONSE_SECONDS)
        async with session.get(address, timeout=limit, allow_redirects=False) as response:
            if response.status != _OK:
                return f"(status {response.status})"
            return (await response.content.read(_MOST_BYTES)).decode(errors="replace").strip()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return f"{_NO_RESPONSE}: {error or type(error).__name__}"


def _connect(url: str) -> tuple[aiohttp.BaseConnector, str]:
    if url.startswith("unix:"):
        socket, _, path = url.removeprefix("unix:").partition(":")
        return aiohttp.UnixConnector(socket, force_close=True), f"http://proxy{path or '/'}"
    return aiohttp.TCPConnector(force_close=True), url
