"""A port whose connections are each served in a thread."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress


class Listener:
    """Accepts connections at `address` and calls `serve` with each, in a thread of its own."""

    def __init__(
        self,
        serve: Callable[[socket.socket], None],
        address: tuple[str, int] = ("127.0.0.1", 0),
        backlog: int | None = None,
    ) -> None:
        self._serve = serve
        self._socket = socket.create_server(address, backlog=backlog)
        self.port = int(self._socket.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Close the port."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
