"""Reads the body of a response, with a bound also on what it decompresses to."""

import zlib

import aiohttp

from drove_gateway.drove.excerpt import excerpt
from drove_gateway.model.errors import BadResponse

_GZIP = 16 + zlib.MAX_WBITS


async def read_body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body of `response`, at most `most` bytes when decompressed.

    The session must leave decompressing to this function. Raises BadResponse when the body is
    longer, is not the gzip that its header names, or ends too early.
    """
    match response.headers.get("Content-Encoding", "identity").strip().lower():
        case "gzip" | "x-gzip":
            return await _gunzip(response.content, most)
        case "identity" | "":
            return await _plain(response.content, most)
        case other:
            raise BadResponse(f"the body's encoding is {excerpt(other, 40)!r}, gzip was requested")


def ensure_memory(size: int) -> None:
    """Raise MemoryError unless there are `size` bytes of memory now.

    Without memory, a thread may end itself, while its caller waits indefinitely, and anything else
    may fail. The pages are never touched, so this costs nothing else.
    """
    bytes(size)


async def read_start(response: aiohttp.ClientResponse, most: int = 4096) -> bytes:
    """The first `most` bytes of a body that is only shown, whatever it is."""
    if "Content-Encoding" in response.headers:
        try:
            return await read_body(response, most)
        except BadResponse:
            return b""
    return await response.content.read(most)


async def _plain(stream: aiohttp.StreamReader, most: int) -> bytes:
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > most:
            raise _too_long(most)
    return bytes(body)


async def _gunzip(stream: aiohttp.StreamReader, most: int) -> bytes:
    body = bytearray()
    unzip = zlib.decompressobj(_GZIP)
    async for chunk in stream.iter_any():
        try:
            body += unzip.decompress(chunk, most + 1 - len(body))
        except zlib.error as error:
            raise BadResponse(f"the body is not valid gzip: {error}") from error
        if len(body) > most:
            raise _too_long(most)
        if unzip.unused_data:
            raise BadResponse("the body continues after the end of its gzip data")
    if not unzip.eof:
        raise BadResponse("the body's gzip data ends too early")
    return bytes(body)


def _too_long(most: int) -> BadResponse:
    return BadResponse(f"the response is longer than {most:,} bytes and was rejected")
