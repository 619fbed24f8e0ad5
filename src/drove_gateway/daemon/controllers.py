"""Settings to the controllers of a namespace."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.drove.client import Controller
from drove_gateway.drove.pace import ping_limit
from drove_gateway.drove.session import credentials, open_session


@asynccontextmanager
async def controllers(
    settings: Settings, namespace: NamespaceSettings
) -> AsyncIterator[tuple[Controller, ...]]:
    """Open the session of a namespace's controllers, which they share.

    Raises ConfigError when the CA file cannot be used.
    """
    sent = credentials(
        user=namespace.user,
        password=namespace.password.get_secret_value(),
        access_token=namespace.access_token.get_secret_value(),
    )
    session = open_session(
        sent, tls_ca_file=namespace.tls_ca_file, tls_skip_verify=namespace.tls_skip_verify
    )
    async with session:
        yield tuple(
            Controller(
                url,
                namespace=namespace.name,
                session=session,
                credentials=sent,
                api_timeout=settings.api_timeout,
                ping_timeout=ping_limit(settings.ping_interval_sec, settings.api_timeout),
            )
            for url in namespace.drove
        )
