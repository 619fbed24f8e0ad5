"""Proof that a configuration generation serves: the running proxy is asked for its id.

Exit code 0 of a reload proves nothing: `nginx -s reload` ends with 0 also when a port cannot be
bound, and the old generation goes on. A template that carries a generation mark (`render`) makes
the proxy answer with the id of its generation.
"""

import asyncio
from typing import Protocol

import aiohttp

from drove_gateway.model.errors import GenerationUnproven

_PAUSE_SECONDS = 0.01
_ANSWER_SECONDS = 1.0
_MOST_BYTES = 80
_OK = 200
_NO_ANSWER = "no answer"


class Prove(Protocol):
    """Waits until the proxy answers at `url` with `generation`, at most `timeout` seconds."""

    async def __call__(self, url: str, generation: str, *, timeout: float) -> None: ...


class Ask(Protocol):
    """Which generation the proxy answers with at `url`; None when it does not answer."""

    async def __call__(self, url: str) -> str | None: ...


async def ask(url: str) -> str | None:
    """Ask the proxy once for the generation that it serves."""
    connector, address = _connect(url)
    async with aiohttp.ClientSession(connector=connector) as session:
        answer = await _ask(session, address)
    return None if answer.startswith(_NO_ANSWER) else answer


async def prove(url: str, generation: str, *, timeout: float) -> None:
    """Ask the proxy for its generation until it is `generation`.

    `url` is `http://…` or `unix:SOCKET:/path`. Raises GenerationUnproven after `timeout` seconds;
    the message says what answered instead.
    """
    connector, address = _connect(url)
    last = "nothing was asked"
    async with aiohttp.ClientSession(connector=connector) as session:
        try:
            async with asyncio.timeout(timeout):
                while (last := await _ask(session, address)) != generation:  # noqa: ASYNC110
                    await asyncio.sleep(_PAUSE_SECONDS)
        except TimeoutError as error:
            raise GenerationUnproven(
                f"generation {generation} does not answer at {url} within {timeout:.1f} s of the "
                f"reload ({last or 'an empty answer'} does): the proxy goes on with its old "
                "configuration; its error log says why (is a port in use?)"
            ) from error


async def _ask(session: aiohttp.ClientSession, address: str) -> str:
    try:
        limit = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        async with session.get(address, timeout=limit, allow_redirects=False) as response:
            if response.status != _OK:
                return f"(status {response.status})"
            return (await response.content.read(_MOST_BYTES)).decode(errors="replace").strip()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return f"{_NO_ANSWER}: {error or type(error).__name__}"


def _connect(url: str) -> tuple[aiohttp.BaseConnector, str]:
    if url.startswith("unix:"):
        socket, _, path = url.removeprefix("unix:").partition(":")
        return aiohttp.UnixConnector(socket, force_close=True), f"http://proxy{path or '/'}"
    return aiohttp.TCPConnector(force_close=True), url
