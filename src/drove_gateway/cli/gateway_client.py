"""Send requests to the running gateway's HTTP API, as its configuration says."""

import asyncio
import os
import ssl
from collections.abc import Mapping
from typing import TypeVar

import aiohttp
import msgspec

from drove_gateway.admin.addressee import HEADER, digest
from drove_gateway.config import Settings
from drove_gateway.config.platforms import proxy_named_by
from drove_gateway.model.errors import GatewayError

T = TypeVar("T")

_SECONDS = 10.0
_LOOPBACK = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104


class GatewayUnreachable(GatewayError):
    """The running gateway does not respond, or refuses; `brief` is the message in a few words."""

    def __init__(self, message: str, *, brief: str = "") -> None:
        super().__init__(message)
        self.brief = brief or message


class _Refusal(msgspec.Struct):
    error: str = ""


def url(settings: Settings) -> str:
    """Return the URL of the gateway with these settings. Raises GatewayUnreachable."""
    if not settings.port:
        raise GatewayUnreachable("the gateway cannot be found: port = 0 means any free port")
    address = _LOOPBACK.get(settings.address, settings.address)
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if settings.port_use_tls else 'http'}://{host}:{settings.port}"


def request(
    settings: Settings,
    method: str,
    path: str,
    document: type[T],
    headers: Mapping[str, str] = {},
) -> T:
    """Send a request with `headers` and `admin_token`, if set, and return the response.

    Raises GatewayUnreachable, which says what to do.
    """
    return asyncio.run(request_async(settings, method, path, document, headers))


async def request_async(
    settings: Settings,
    method: str,
    path: str,
    document: type[T],
    headers: Mapping[str, str] = {},
) -> T:
    """As `request`, inside a running event loop."""
    return decoded(settings, await fetch(settings, method, path, headers), document)


def decoded(settings: Settings, body: bytes, document: type[T]) -> T:
    """Decode a response. Raises GatewayUnreachable if it is not that of a gateway."""
    try:
        return msgspec.json.decode(body, type=document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise GatewayUnreachable(f"the server at {url(settings)} is not a drove-gateway") from error


async def fetch(settings: Settings, method: str, path: str, more: Mapping[str, str] = {}) -> bytes:
    """Send a request and return the body of the response. Raises GatewayUnreachable."""
    address = url(settings) + path
    token = settings.admin_token.get_secret_value()
    headers = {**more, HEADER: digest(proxy_named_by(settings))}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    limit = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, headers=headers) as session,
            session.request(method, address, ssl=_tls(settings), allow_redirects=False) as response,
        ):
            body = await response.read()
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise GatewayUnreachable(
            f"no gateway responds at {url(settings)}: {_reason(error)}; "
            "check that it runs, and with this configuration",
            brief=f"does not respond at {url(settings)}",
        ) from error
    if response.status >= 400:
        raise GatewayUnreachable(f"{address}: {response.status}: {_refusal(body)}")
    return body


def _reason(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno and not isinstance(cause, ssl.SSLError):
        return os.strerror(cause.errno)
    return str(cause) or type(cause).__name__


def _refusal(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "not the response of a drove-gateway"


def _tls(settings: Settings) -> ssl.SSLContext | bool:
    """Trust exactly the configured certificate, whatever its name; if unreadable, the system's."""
    if not settings.port_use_tls or not os.access(settings.port_tls_certfile, os.R_OK):
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(settings.port_tls_certfile)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
