"""As much of HTTP/2 as the behaviour table needs: a request over TLS, and a gRPC server.

Headers are sent as HPACK literals without an index (RFC 7541, 6.2.2); of a response only the
status is read, which proxies send from the static table (0x88 is 200).
"""

import socket
import ssl
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress

from tests.templates.listener import Listener

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _SETTINGS, _PING = 0, 1, 4, 6
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1


def request(
    connection: socket.socket, headers: Mapping[str, str], body: bytes = b""
) -> tuple[bool, bytes]:
    """Send a request on a new connection; return whether its status is 200, and all its frames."""
    connection.sendall(PREFACE + _frame(_SETTINGS, 0, 0, b""))
    ending = 0 if body else _END_STREAM
    connection.sendall(_frame(_HEADERS, _END_HEADERS | ending, 1, literals(headers)))
    if body:
        connection.sendall(_frame(_DATA, _END_STREAM, 1, body))
    status, everything = False, b""
    for kind, flags, stream, payload in frames(connection):
        if kind == _SETTINGS and not flags & _ACK:
            connection.sendall(_frame(_SETTINGS, _ACK, 0, b""))
        if stream == 1 and kind in {_DATA, _HEADERS}:
            everything += payload
            status = status or (kind == _HEADERS and b"\x88" in payload[:4])
            if flags & _END_STREAM:
                break
    return status, everything


def literals(headers: Mapping[str, str]) -> bytes:
    """Return a header block of names and values that are shorter than 127 bytes."""
    pairs = ((name.encode(), value.encode()) for name, value in headers.items())
    return b"".join(
        b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value for name, value in pairs
    )


def frames(connection: socket.socket) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield kind, flags, stream and payload of each frame, until the connection ends."""
    with connection.makefile("rb") as stream:
        while len(head := stream.read(9)) == 9:
            length = int.from_bytes(head[:3], "big")
            kind, flags, number = struct.unpack(">BBI", head[3:])
            yield kind, flags, number & 0x7FFFFFFF, stream.read(length)


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


class GrpcInstance:
    """A gRPC server that answers each call with its name; with TLS if it has a context."""

    def __init__(
        self,
        name: str,
        address: tuple[str, int] = ("127.0.0.1", 0),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._name = name.encode()
        self._tls = tls
        self._listener = Listener(self._serve, address)
        self.port = self._listener.port

    def stop(self) -> None:
        """Close the port."""
        self._listener.stop()

    def _serve(self, plain: socket.socket) -> None:
        with suppress(OSError), self._secured(plain) as connection:
            preface = b""
            while len(preface) < len(PREFACE):
                preface += (received := connection.recv(len(PREFACE) - len(preface)))
                if not received:
                    return
            if preface != PREFACE:
                return
            connection.sendall(_frame(_SETTINGS, 0, 0, b""))
            for kind, flags, stream, payload in frames(connection):
                if kind == _SETTINGS and not flags & _ACK:
                    connection.sendall(_frame(_SETTINGS, _ACK, 0, b""))
                elif kind == _PING and not flags & _ACK:
                    connection.sendall(_frame(_PING, _ACK, 0, payload))
                elif kind in {_HEADERS, _DATA} and flags & _END_STREAM:
                    connection.sendall(self._response(stream))

    def _secured(self, plain: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(plain, server_side=True) if self._tls else plain

    def _response(self, stream: int) -> bytes:
        head = b"\x88" + literals({"content-type": "application/grpc"})
        message = b"\0" + struct.pack(">I", len(self._name)) + self._name
        return (
            _frame(_HEADERS, _END_HEADERS, stream, head)
            + _frame(_DATA, 0, stream, message)
            + _frame(_HEADERS, _END_HEADERS | _END_STREAM, stream, literals({"grpc-status": "0"}))
        )
