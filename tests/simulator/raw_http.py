"""HTTP as bytes: what a controller really sends, header by header."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SECONDS = 10


@dataclass(frozen=True)
class RawResponse:
    """A response: its status line, its header lines in their order, its decoded body."""

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def exchange(
    port: int, request: str, headers: Mapping[str, str], body: bytes = b""
) -> RawResponse:
    """Send a request such as `GET /apis/v1/ping`, and read the whole response."""
    method, uri = request.split(" ", 1)
    lines = [f"{method} {uri} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        async with asyncio.timeout(_SECONDS):
            return await _read(reader, has_body=method != "HEAD")
    finally:
        writer.close()
        await writer.wait_closed()


async def _read(reader: asyncio.StreamReader, *, has_body: bool) -> RawResponse:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    _, status, reason = head[0].split(" ", 2)
    pairs = [line.split(": ", 1) for line in head[1:] if line]
    headers = tuple((name, value) for name, value in pairs)
    body = await _body(reader, dict(headers)) if has_body else b""
    return RawResponse(int(status), reason, headers, body)


async def _body(reader: asyncio.StreamReader, headers: Mapping[str, str]) -> bytes:
    if headers.get("Transfer-Encoding") == "chunked":
        body = b""
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    else:
        body = await reader.readexactly(int(headers["Content-Length"]))
    return gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
