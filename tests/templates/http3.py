"""A client of HTTP/3 for the behaviour table."""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, H3Event, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import QuicEvent

_SECONDS = 20


class _Client(QuicConnectionProtocol):
    """A connection with a single request."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._http = H3Connection(self._quic)
        self._events: list[H3Event] = []
        self._ended = asyncio.Event()

    async def get(self, vhost: str, path: str) -> tuple[Mapping[str, str], bytes]:
        stream = self._quic.get_next_available_stream_id()
        head = {":method": "GET", ":scheme": "https", ":authority": vhost, ":path": path}
        encoded = [(name.encode(), value.encode()) for name, value in head.items()]
        self._http.send_headers(stream, encoded, end_stream=True)
        self.transmit()
        async with asyncio.timeout(_SECONDS):
            await self._ended.wait()
        heads = [event for event in self._events if isinstance(event, HeadersReceived)]
        body = [event.data for event in self._events if isinstance(event, DataReceived)]
        headers = {name.decode(): value.decode() for name, value in heads[0].headers}
        return headers, b"".join(body)

    def quic_event_received(self, event: QuicEvent) -> None:
        """Collect the events of HTTP."""
        for found in self._http.handle_event(event):
            self._events.append(found)
            if getattr(found, "stream_ended", False):
                self._ended.set()


async def get(
    port: int, vhost: str, path: str, address: str = "127.0.0.1"
) -> tuple[Mapping[str, str], bytes]:
    """Return headers, with `:status`, and body of a response over HTTP/3."""
    configuration = QuicConfiguration(
        alpn_protocols=H3_ALPN, is_client=True, server_name=vhost, verify_mode=ssl.CERT_NONE
    )
    async with connect(
        address, port, configuration=configuration, create_protocol=_Client
    ) as client:
        assert isinstance(client, _Client)
        return await client.get(vhost, path)
