"""The addresses of host names that the file lists.

NGINX cannot resolve a name while it loads the file. Without the address that the gateway found
last, a restart of NGINX would leave the servers of such hosts out until the gateway adds them.
"""

from drove_gateway.model.spelling import without_brackets

# More than a cluster has executors; the names that came first are forgotten.
_MOST = 1 << 16


class KnownAddresses:
    """Host names with the address that each had last.

    Noted on the event loop, read by the thread that renders. `changes` grows with each address
    that is not as it was.
    """

    def __init__(self) -> None:
        self.changes = 0
        self._addresses: dict[str, str] = {}

    def note(self, host: str, address: str) -> None:
        """Remember the address of `host`; an address by itself, or an empty one, is nothing new."""
        if address in {"", without_brackets(host), self._addresses.get(host)}:
            return
        self._addresses[host] = address
        self.changes += 1
        if len(self._addresses) > _MOST:
            del self._addresses[next(iter(self._addresses))]

    def of(self, host: str) -> str:
        """Return the address of `host`, empty where none was noted."""
        return self._addresses.get(host, "")
