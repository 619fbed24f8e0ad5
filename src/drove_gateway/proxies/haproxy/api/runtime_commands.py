"""The commands of the runtime API, as values.

Every part from outside is checked or escaped here, so that no name, address or option can end its
command and begin another.
"""

import re
from functools import lru_cache

import msgspec

from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.model.wording import printable
from drove_gateway.proxies.runtime.resolver import is_address

# What HAProxy allows in the name of a backend or a server (configuration manual, 2.2).
_valid_name = re.compile(r"[A-Za-z0-9_.:-]+").fullmatch
_unescaped_end = re.compile(r"(?<!\\)((?:\\\\)*);")


class Command(msgspec.Struct, frozen=True, gc=False):
    """A command: its text, and the `operation` that metrics and the table of replies use.

    The operations that the original counts have its names. `payload` are further lines, none of
    them blank, which may be secret.
    """

    operation: str
    text: str
    payload: str = ""

    @property
    def lines(self) -> str:
        """What is sent."""
        return f"{self.text} <<\n{self.payload}\n" if self.payload else self.text

    @property
    def changes(self) -> bool:
        """Whether the command changes something, rather than shows it or waits."""
        return not self.text.startswith(("show ", "help ", "wait "))


SHOW_INFO = Command("show_info", "show info")
SHOW_BACKENDS = Command("show_backends", "show backend")
SHOW_ALL_SERVERS = Command("get_servers_state_all_backends", "show servers state")
SHOW_ALL_CONNECTIONS = Command("show_servers_conn", "show servers conn")
HELP_WAIT = Command("help", "help wait")
HELP_ADD_BACKEND = Command("help", "help add backend")


def valid_name(name: str) -> bool:
    """Whether HAProxy accepts `name` for a backend or a server."""
    return _valid_name(name) is not None


def add_server(backend: str, name: str, address: str, port: int, attributes: str) -> Command:
    """Add a server, which starts in maintenance. `attributes` are the operator's options."""
    endpoint = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
    text = f"add server {_server(backend, name)} {_checked(address, endpoint, port)}"
    return Command("add_server", f"{text} {attributes}" if attributes else text)


def enable_health(backend: str, name: str) -> Command:
    """Start the health checks of a server that was added with `check`."""
    return Command("enable_health", f"enable health {_server(backend, name)}")


def set_state(backend: str, name: str, state: str) -> Command:
    """Set a server to `ready`, `drain` (no new sessions) or `maint`."""
    return Command(
        f"set_server_state_{state}", f"set server {_server(backend, name)} state {state}"
    )


def set_weight(backend: str, name: str, weight: int) -> Command:
    """Set the weight of a server, 0 to 256."""
    return Command("set_server_weight", f"set server {_server(backend, name)} weight {weight}")


def set_address(backend: str, name: str, address: str, port: int) -> Command:
    """Move a server; running sessions finish at its old address."""
    text = f"set server {_server(backend, name)} addr {_checked(address, address, port)}"
    return Command("set_server_addr", f"{text} port {port}")


def delete_server(backend: str, name: str) -> Command:
    """Delete a server that is in maintenance and has no connections."""
    return Command("delete_server", f"del server {_server(backend, name)}")


def shutdown_sessions(backend: str, name: str) -> Command:
    """Close the running sessions of a server."""
    return Command("shutdown_sessions", f"shutdown sessions server {_server(backend, name)}")


def wait_removable(backend: str, name: str, milliseconds: int) -> Command:
    """Wait until a server can be deleted (HAProxy 3.0 and newer)."""
    return Command("wait", f"wait {milliseconds}ms srv-removable {_server(backend, name)}")


def add_backend(backend: str, defaults: str) -> Command:
    """Add a backend, which starts unpublished; the rest it has from a named defaults section."""
    return Command("add_backend", f"add backend {_named(backend)} from {_named(defaults)}")


def publish_backend(backend: str) -> Command:
    """Let requests see a backend."""
    return Command("publish_backend", f"publish backend {_named(backend)}")


def unpublish_backend(backend: str) -> Command:
    """Hide a backend from new requests; running requests finish."""
    return Command("unpublish_backend", f"unpublish backend {_named(backend)}")


def delete_backend(backend: str) -> Command:
    """Delete a backend that is unpublished, without servers and without requests."""
    return Command("delete_backend", f"del backend {_named(backend)}")


def show_servers(backend: str) -> Command:
    """Show the state of the servers of a backend."""
    return Command("get_servers_state", f"show servers state {_named(backend)}")


def show_connections(backend: str) -> Command:
    """Show the connections of the servers of a backend."""
    return Command("show_servers_conn", f"show servers conn {_named(backend)}")


def show_statistics(backend: str) -> Command:
    """Show the statistics of the servers of a backend (type 4), whatever their ids."""
    return Command("show_stat", f"show stat {_named(backend)} 4 -1")


def show_backend_statistics(backend: str) -> Command:
    """Show the statistics of a backend itself (type 2), without its servers."""
    return Command("show_stat", f"show stat {_named(backend)} 2 -1")


def escaped_attributes(text: str) -> str:
    """Return the operator's options on one line, with every `;` escaped."""
    return _unescaped_end.sub(r"\1\\;", " ".join(text.split()))


@lru_cache(maxsize=1 << 16)
def _server(backend: str, name: str) -> str:
    return f"{_named(backend)}/{_named(name)}"


def _named(name: str) -> str:
    if not valid_name(name):
        raise RuntimeApiError(
            f"'{printable(name, 100)}' is not a valid name in HAProxy (letters, digits, _ . : -); "
            "nothing was sent"
        )
    return name


def _checked(address: str, text: str, port: int) -> str:
    """Return `text` if `address` and `port` are valid: HAProxy takes `999.1.1.1` for a name."""
    if not is_address(address):
        raise RuntimeApiError(f"'{printable(address, 100)}' is not an IP address; nothing was sent")
    if not 0 < port < 65536:
        raise RuntimeApiError(f"{port} is not a port; nothing was sent")
    return text
