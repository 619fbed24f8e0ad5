"""Settings to the objects that they describe. Nothing starts here."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.drove.client import Controller
from drove_gateway.drove.session import access, open_session
from drove_gateway.guard import Limits
from drove_gateway.reconciler import Pace
from drove_gateway.topology import Rules, rules


def namespace_rules(settings: Settings) -> tuple[Rules, ...]:
    """Which vhosts each namespace gives, in the configured order."""
    return tuple(_rules(namespace) for namespace in settings.namespaces)


def _rules(namespace: NamespaceSettings) -> Rules:
    return rules(
        namespace.name,
        namespace.realm,
        namespace.realm_suffix,
        namespace.routing_tag,
        namespace.leader_vhost,
    )


@asynccontextmanager
async def controllers(
    settings: Settings, namespace: NamespaceSettings
) -> AsyncIterator[tuple[Controller, ...]]:
    """A namespace's controllers, with one session for all. Raises ConfigError for a bad CA file."""
    allowed = access(
        user=namespace.user,
        password=namespace.password.get_secret_value(),
        access_token=namespace.access_token.get_secret_value(),
    )
    session = open_session(
        allowed, tls_ca_file=namespace.tls_ca_file, tls_skip_verify=namespace.tls_skip_verify
    )
    async with session:
        yield tuple(
            Controller(
                url,
                namespace=namespace.name,
                session=session,
                access=allowed,
                api_timeout=settings.api_timeout,
                ping_timeout=min(settings.api_timeout, settings.ping_interval_sec),
            )
            for url in namespace.drove
        )


def limits(settings: Settings) -> Limits:
    """What is too much to lose at once."""
    return Limits(
        vhost=settings.guard_vhost_share,
        namespace=settings.guard_namespace_share,
        overall=settings.guard_overall_share,
        exempt=settings.guard_exempt_servers,
        hold=settings.guard_hold_sec,
    )


def pace(settings: Settings) -> Pace:
    """How changes are collected and reloads spaced."""
    return Pace(
        quiet=settings.apply_quiet_sec,
        longest=settings.apply_max_wait_sec,
        between_reloads=settings.reload_min_interval_sec,
    )
