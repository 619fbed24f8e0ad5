"""Serve the HTTP API, with or without TLS, and stop cleanly."""

import asyncio
import errno
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from drove_gateway.admin.actions import Actions
from drove_gateway.admin.addressee import only_for
from drove_gateway.admin.attempts import FailedAttempts
from drove_gateway.admin.connections import ConnectionLimit, most_connections
from drove_gateway.admin.handshakes import Handshakes
from drove_gateway.admin.routes import Access, application, routes
from drove_gateway.admin.sessions import Sessions
from drove_gateway.admin.sources import Sources
from drove_gateway.admin.tokens import ApiTokens
from drove_gateway.config import Settings
from drove_gateway.config.addresses import is_loopback
from drove_gateway.config.platforms import proxy_named_by
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import ConfigError

_IDLE_SECONDS = 60.0
_STOP_SECONDS = 2.0
_MOST_WRONG_TOKENS = 100
_WRONG_TOKENS_SECONDS = 60.0
# The event loop accepts this many connections before it closes the first of them.
_ACCEPTED_AT_ONCE = 32


@asynccontextmanager
async def serve(
    settings: Settings,
    *,
    sources: Sources,
    actions: Actions,
    log: EventLog,
) -> AsyncIterator[int]:
    """Serve the API at the configured address while the block runs; yields the port.

    At the end no new connection is accepted, and running requests have `_STOP_SECONDS` to finish.
    Raises ConfigError if the address or the certificate cannot be used.
    """
    tls = None
    if settings.port_use_tls:
        tls = tls_context(settings.port_tls_certfile, settings.port_tls_keyfile)
    tokens = ApiTokens(
        act=settings.admin_token.get_secret_value(),
        read=settings.admin_read_token.get_secret_value(),
    )
    hosts = settings.admin_allowed_hosts if is_loopback(settings.address) else None
    sessions = Sessions(tokens, secure=tls is not None)
    every_route = routes(sources, actions, sessions)
    handshakes = None if tls is None else Handshakes(tls)
    clock = asyncio.get_running_loop().time
    limit = ConnectionLimit(most_connections(), clock, log, handshakes)
    failed = FailedAttempts(_MOST_WRONG_TOKENS, _WRONG_TOKENS_SECONDS, clock)
    access = Access(tokens, sessions, failed, hosts)
    addressee = only_for(proxy_named_by(settings))
    runner = web.AppRunner(
        application(every_route, access, limit.middleware, addressee),
        access_log=None,
        keepalive_timeout=_IDLE_SECONDS,
        shutdown_timeout=_STOP_SECONDS,
    )
    await runner.setup()
    try:
        listener = await _listen(settings.address, settings.port, _protocols(runner, limit))
        try:
            async with sources.desired_hash.kept_warm(sources.current):
                yield listener.sockets[0].getsockname()[1]
        finally:
            listener.close()
            if handshakes is not None:
                handshakes.end_all()
    finally:
        await runner.cleanup()


def _protocols(runner: web.AppRunner, limit: ConnectionLimit) -> Callable[[], asyncio.BaseProtocol]:
    if runner.server is None:
        raise RuntimeError("the API's server has not been set up")
    return limit.protocols(runner.server)


async def _listen(
    address: str,
    port: int,
    protocols: Callable[[], asyncio.BaseProtocol],
) -> asyncio.Server:
    try:
        return await asyncio.get_running_loop().create_server(
            protocols,
            address,
            port,
            backlog=_ACCEPTED_AT_ONCE,
        )
    except OSError as error:
        raise ConfigError((_cannot_listen(address, port, error),)) from error


def tls_context(certfile: str, keyfile: str) -> ssl.SSLContext:
    """Return a context for TLS 1.2 or newer with a certificate (and its chain) and key, both PEM.

    Raises ConfigError if they cannot be read or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    for name, path in (("port_tls_certfile", certfile), ("port_tls_keyfile", keyfile)):
        try:
            Path(path).read_bytes()
        except OSError as error:
            raise ConfigError((f"{name} = {path!r}: {error.strerror}",)) from error
    try:
        context.load_cert_chain(certfile, keyfile, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        both = f"port_tls_certfile = {certfile!r}, port_tls_keyfile = {keyfile!r}"
        raise ConfigError((f"{both}: {_unusable(error)}",)) from error
    return context


def _no_password() -> str:
    raise ValueError("the key is encrypted, and the gateway cannot prompt for its password")


def _unusable(error: ssl.SSLError | ValueError) -> str:
    if not isinstance(error, ssl.SSLError):
        return str(error)
    if error.reason == "KEY_VALUES_MISMATCH":
        return "the key does not belong to the certificate"
    return "not a certificate and a key in PEM format"


def _cannot_listen(address: str, port: int, error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            why = f"another process listens there; find it with: ss -ltnp 'sport = :{port}'"
        case errno.EADDRNOTAVAIL:
            why = "this machine does not have the address"
        case errno.EACCES:
            why = "not permitted; ports below 1024 need root or CAP_NET_BIND_SERVICE"
        case _:
            why = error.strerror or str(error)
    return f"cannot listen on address = {address!r}, port = {port}: {why}"
