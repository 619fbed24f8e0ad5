"""The HTTP session of a namespace: credentials, TLS and connections."""

import base64
import ssl
from collections.abc import Iterable

import aiohttp

from drove_gateway.drove.secrets import Secrets
from drove_gateway.model.errors import ConfigError

# Drove closes idle connections after 30 s; ours are closed before, so that few are found stale.
_IDLE_SECONDS = 20.0
_CONNECTIONS_TO_A_CONTROLLER = 4


class Credentials:
    """The `Authorization` header, or none, and what must not be seen in any message."""

    def __init__(self, authorization: str = "", secrets: Iterable[str] = ()) -> None:
        self.authorization = authorization
        self._secrets = Secrets(secrets)

    def __repr__(self) -> str:
        return "Credentials(…)"

    def hide(self, text: str) -> str:
        """Return `text` without the credentials, should a controller have sent them back."""
        return self._secrets.hide(text)


def credentials(*, user: str, password: str, access_token: str) -> Credentials:
    """Basic auth when there is a `user`; `access_token`, which goes as it is, wins over it."""
    authorization = access_token.strip()
    if not authorization and user:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        authorization = f"Basic {pair}"
    return Credentials(authorization, (authorization.partition(" ")[2] or authorization, password))


def open_session(
    credentials: Credentials, *, tls_ca_file: str = "", tls_skip_verify: bool = False
) -> aiohttp.ClientSession:
    """A session for the controllers of one namespace; the caller closes it.

    Certificates are verified with `tls_ca_file`, or the system's when it is empty, unless
    `tls_skip_verify`. Raises ConfigError when the CA file cannot be used.
    """
    headers = {"Accept": "application/json", "Accept-Encoding": "gzip"}
    if credentials.authorization:
        headers["Authorization"] = credentials.authorization
    connector = aiohttp.TCPConnector(
        ssl=_tls(tls_ca_file, skip_verify=tls_skip_verify),
        keepalive_timeout=_IDLE_SECONDS,
        limit=0,
        limit_per_host=_CONNECTIONS_TO_A_CONTROLLER,
    )
    return aiohttp.ClientSession(
        connector=connector,
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


def _tls(ca_file: str, *, skip_verify: bool) -> ssl.SSLContext | bool:
    if skip_verify:
        return False
    if not ca_file:
        # aiohttp has one context with the system's authorities for all sessions.
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ValueError) as error:
        raise ConfigError((f"tls_ca_file: {ca_file} cannot be used: {error}",)) from error
