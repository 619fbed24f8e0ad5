"""Instances for the behaviour table: servers that tell what they received, or misbehave."""

import base64
import hashlib
import json
import socket
import time
from collections import Counter
from contextlib import suppress

from tests.templates.listener import Listener

# RFC 6455, 1.3: what a server appends to the key before it hashes it.
_ACCEPTING = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Instance:
    """A server in threads. `GET /told` returns its name and the request's headers as JSON,
    `/header/N` a response header of N bytes, `/slow/SECONDS` comes late, `/500` and `/503` are
    the app's own failures, and `/crash` closes the connection without a response. A WebSocket gets
    back the first line that it sends, without frames.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.received: Counter[str] = Counter()
        self._listener = Listener(self._serve, backlog=512)
        self.port = self._listener.port

    def stop(self) -> None:
        """Close the port."""
        self._listener.stop()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as stream:
            while request := stream.readline():
                path = request.split()[1].decode()
                headers = dict(_headers(stream))
                stream.read(int(headers.get("content-length", "0")))
                self.received[path] += 1
                if path == "/crash":
                    return
                if headers.get("upgrade"):
                    connection.sendall(_upgraded(headers["sec-websocket-key"]))
                    connection.sendall(stream.readline())
                    return
                connection.sendall(self._response(path, headers))

    def _response(self, path: str, headers: dict[str, str]) -> bytes:
        status, extra, kind = 200, "", path.split("/")[1]
        if kind == "slow":
            time.sleep(float(path.rpartition("/")[2]))
        elif kind == "header":
            extra = f"X-Long: {'x' * int(path.rpartition('/')[2])}\r\n"
        elif kind.isdigit():
            status = int(kind)
        body = json.dumps({"name": self.name, **headers})
        return (f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{extra}\r\n{body}").encode()


def _upgraded(key: str) -> bytes:
    accept = base64.b64encode(hashlib.sha1(key.encode() + _ACCEPTING).digest())  # noqa: S324
    head = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    return head + b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"


def _headers(stream: object) -> list[tuple[str, str]]:
    found = []
    while line := stream.readline().decode().strip():  # type: ignore[attr-defined]
        name, _, value = line.partition(":")
        found.append((name.lower(), value.strip()))
    return found
