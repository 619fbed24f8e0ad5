"""Asks the running gateway over its HTTP API, where and with what its configuration says."""

import asyncio
import os
import ssl
from typing import TypeVar

import aiohttp
import msgspec

from drove_gateway.config import Settings
from drove_gateway.model.errors import GatewayError

T = TypeVar("T")

_SECONDS = 10.0
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104


class GatewayUnreachable(GatewayError):
    """The running gateway does not answer, or refuses; `brief` is the same in a few words."""

    def __init__(self, message: str, *, brief: str = "") -> None:
        super().__init__(message)
        self.brief = brief or message


class _Refusal(msgspec.Struct):
    error: str = ""


def url(settings: Settings) -> str:
    """Where the API of the gateway with these settings is. Raises GatewayUnreachable."""
    if not settings.port:
        raise GatewayUnreachable("port = 0 takes any free port, so the gateway cannot be found")
    address = _ANY_ADDRESS.get(settings.address, settings.address)
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if settings.port_use_tls else 'http'}://{host}:{settings.port}"


def ask(settings: Settings, method: str, path: str, answer: type[T]) -> T:
    """The answer to one request, with `admin_token` where there is one.

    Raises GatewayUnreachable with what to do about it.
    """
    return asyncio.run(ask_now(settings, method, path, answer))


async def ask_now(settings: Settings, method: str, path: str, answer: type[T]) -> T:
    """As `ask`, where an event loop runs already."""
    body = await fetch(settings, method, path)
    try:
        return msgspec.json.decode(body, type=answer)
    except msgspec.DecodeError as error:
        raise GatewayUnreachable(f"what answers at {url(settings)} is no gateway") from error


async def fetch(settings: Settings, method: str, path: str) -> bytes:
    """The answer's bytes, as they came. Raises GatewayUnreachable."""
    address = url(settings) + path
    token = settings.admin_token.get_secret_value()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    limit = aiohttp.ClientTimeout(total=_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=limit, headers=headers) as session,
            session.request(method, address, ssl=_tls(settings), allow_redirects=False) as response,
        ):
            body = await response.read()
            if response.status < 400:
                return body
            raise GatewayUnreachable(f"{address}: {response.status}: {_said(body)}")
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise GatewayUnreachable(
            f"no gateway answers at {url(settings)}: {_reason(error)}; "
            "does it run, and with this configuration?",
            brief=f"none answers at {url(settings)}",
        ) from error


def _reason(error: Exception) -> str:
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, OSError) and cause.errno and not isinstance(cause, ssl.SSLError):
        return os.strerror(cause.errno)
    return str(cause) or type(cause).__name__


def _said(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_Refusal).error
    except msgspec.DecodeError:
        return "not a gateway's answer"


def _tls(settings: Settings) -> ssl.SSLContext | bool:
    """Trust exactly the certificate that the gateway is configured with, whatever name it bears.

    Where that file cannot be read, what this machine trusts is trusted.
    """
    if not settings.port_use_tls or not os.access(settings.port_tls_certfile, os.R_OK):
        return True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(settings.port_tls_certfile)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
