"""Responses on the wire, as Jetty sends them: headers, compression, chunks."""

import asyncio
import gzip
from collections.abc import Callable
from email.utils import formatdate

from aiohttp import web

from drove_gateway.simulator.responses import JSON, ApiResponse

GZIP_FROM = 256
"""Smaller bodies are not compressed."""

CHUNKED_ABOVE = 32_768
"""Larger bodies are sent in chunks, without Content-Length, whether compressed or not."""

THREAD_FROM = 262_144
"""Bodies of this size and more are compressed in a thread."""


class Delivery:
    """Makes the HTTP responses of a controller whose `clock` returns epoch milliseconds.

    It keeps the last large body compressed.
    """

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._compressed: tuple[bytes, bytes] = (b"", b"")

    async def response(self, request: web.BaseRequest, reply: ApiResponse) -> web.Response:
        """Return the response to send."""
        body = reply.body
        headers = {"Date": formatdate(self._clock() / 1000, usegmt=True)} if reply.dated else {}
        headers |= reply.headers
        if reply.content_type:
            headers["Content-Type"] = reply.content_type
        if reply.status == 200 and request.method != "HEAD" and reply.content_type == JSON:
            headers["Vary"] = "Accept-Encoding"
            if len(body) >= GZIP_FROM and accepts_gzip(request.headers.get("Accept-Encoding", "")):
                body = await self._gzip(body)
                headers["Content-Encoding"] = "gzip"
        response = WireResponse(reply, body, headers)
        if len(reply.body) > CHUNKED_ABOVE and request.version >= (1, 1):
            response.enable_chunked_encoding()
        return response

    async def _gzip(self, body: bytes) -> bytes:
        if self._compressed[0] is not body:
            if len(body) < THREAD_FROM:
                return gzip.compress(body, 1)
            self._compressed = (body, await asyncio.to_thread(gzip.compress, body, 1))
        return self._compressed[1]


class WireResponse(web.Response):
    """A response with exactly the headers of a real controller.

    The HTTP library would add `Server`, and `Date` even where a real controller sends none.
    """

    def __init__(self, reply: ApiResponse, body: bytes, headers: dict[str, str]) -> None:
        super().__init__(status=reply.status, body=body, headers=headers)
        self._dated = reply.dated

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        del self.headers["Server"]
        if not self._dated:
            del self.headers["Date"]


def accepts_gzip(accept_encoding: str) -> bool:
    """Whether the header accepts gzip with a weight above 0."""
    for part in accept_encoding.lower().split(","):
        coding, *parameters = [each.strip() for each in part.split(";")]
        if coding in {"gzip", "*"}:
            weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
            return weight.strip("0.") != ""
    return False
