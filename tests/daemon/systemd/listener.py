"""systemd's end of the notification socket."""

import socket

from tests.waiting import until


class Listener:
    """systemd's end of the socket."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._heard: list[str] = []

    def close(self) -> None:
        self._socket.close()

    def heard(self) -> list[str]:
        """Every message so far."""
        while True:
            try:
                self._heard.append(self._socket.recv(4096).decode())
            except BlockingIOError:
                return self._heard

    async def hears(self, text: str) -> None:
        """Wait for a message with `text` in it."""
        await until(lambda: any(text in message for message in self.heard()))
