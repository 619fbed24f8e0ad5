"""Servers as the API shows them, as the engine knows servers. Pure."""

from collections.abc import Mapping, Sequence

from drove_gateway.proxies.nginx.plus.wire import Peer, Server, canonical, milliseconds
from drove_gateway.proxies.runtime.servers import Held, ObservedServer, Parameter

_PORT_DIGITS = 5
_HELD: Mapping[str, Held] = {"draining": "drain", "down": "maintenance"}


def is_regular(server: Server) -> bool:
    return not server.backup and server.parent is None


def parameters_of(fields: Mapping[str, int | str]) -> tuple[Parameter, ...]:
    """Parameters as the API states them, with times that can be compared."""
    return tuple(
        (name, time_value(value) if isinstance(value, str) else value)
        for name, value in fields.items()
    )


def observed(server: Server) -> ObservedServer:
    stated = {
        "max_fails": server.max_fails,
        "fail_timeout": server.fail_timeout,
        "slow_start": server.slow_start,
    }
    parameters = parameters_of({n: value for n, value in stated.items() if value is not None})
    held: Held = "drain" if server.drain else "maintenance" if server.down else ""
    return _server(server.server, server.id, held, parameters=parameters)


def observed_briefly(handle: int, text: str, parameters: tuple[Parameter, ...]) -> ObservedServer:
    """A server in service with known parameters."""
    return _server(text, handle, "", parameters=parameters)


def from_status(peers: Sequence[Peer]) -> list[ObservedServer]:
    """Servers as the status of their upstream shows them: with requests, without parameters."""
    return [
        _server(peer.server, peer.id, _HELD.get(peer.state, ""), active=peer.active)
        for peer in peers
        if not peer.backup
    ]


def _server(
    text: str, handle: int, held: Held, active: int = 0, parameters: tuple[Parameter, ...] = ()
) -> ObservedServer:
    name = canonical(text)
    host, _, port = name.rpartition(":")
    return ObservedServer(
        name,
        host.strip("[]"),
        int(port) if _is_port(port) else 0,
        serving=not held,
        held=held,
        active=active,
        handle=handle,
        parameters=parameters,
    )


def _is_port(text: str) -> bool:
    """Whether `text` is digits, few enough to be a port."""
    return text.isascii() and text.isdigit() and len(text) <= _PORT_DIGITS


def time_value(text: str) -> int | str:
    """NGINX's times in milliseconds, so that "1000ms" is "1s"."""
    found = milliseconds(text)
    return text if found is None else found
