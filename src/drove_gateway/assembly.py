"""Settings to the objects that they describe. Nothing starts here."""

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from drove_gateway.config import NamespaceSettings, Settings
from drove_gateway.drove.client import Controller
from drove_gateway.drove.session import access, open_session
from drove_gateway.gotemplate.gateway_functions import gateway_functions
from drove_gateway.gotemplate.gotime import GoTime
from drove_gateway.guard import Limits
from drove_gateway.metrics import Metrics
from drove_gateway.proxies.generation import Generations, Platform
from drove_gateway.proxies.haproxy.platform import haproxy_platform
from drove_gateway.proxies.nginx import nginx_platform
from drove_gateway.proxies.proof import ask, prove
from drove_gateway.proxies.reloading import ReloadingProxy
from drove_gateway.proxies.template_file import TemplateFile
from drove_gateway.proxies.version import Version, at_least, installed_version
from drove_gateway.reconciler import Pace, Proxy
from drove_gateway.render import context, render
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


def template_functions(
    environ: Mapping[str, str], version: Version | None
) -> Mapping[str, Callable[..., Any]]:
    """The gateway's functions, and `proxyAtLeast "1.27.4"` for the installed proxy's version."""

    def proxy_at_least(wanted: str) -> bool:
        return at_least(version, wanted)

    started = time.monotonic_ns()

    def now() -> GoTime:
        zone = datetime.now(UTC).astimezone().tzinfo or UTC
        return GoTime(time.time_ns(), zone, monotonic=time.monotonic_ns() - started)

    return {**gateway_functions(environ, now), "proxyAtLeast": proxy_at_least}


async def template(settings: Settings, environ: Mapping[str, str]) -> TemplateFile:
    """The template of the platform that is driven; asks the proxy for its version."""
    haproxy = settings.proxy_platform == "haproxy"
    path = settings.haproxy_template if haproxy else settings.nginx_template
    command = settings.haproxy_argv if haproxy else settings.nginx_argv
    version = await installed_version(command, timeout=settings.command_timeout_sec)
    return TemplateFile(Path(path), settings.delimiters, template_functions(environ, version))


def generations(
    settings: Settings, platform: Platform, template: TemplateFile, xproxy: str
) -> Generations:
    """What brings configurations to the proxy of `platform`."""
    return Generations(
        platform,
        template,
        lambda compiled, topology: render(compiled, context(topology, settings, xproxy)),
        delims=settings.delimiters,
        timeout=settings.command_timeout_sec,
        prove=prove,
        ask=ask,
        clock=time.monotonic,
    )


async def proxy(
    settings: Settings,
    template: TemplateFile,
    xproxy: str,
    metrics: Metrics,
    log: FilteringBoundLogger,
    stack: AsyncExitStack,
) -> Proxy:
    """The driver of the configured proxy. What it must close is left to `stack`."""
    made = generations(settings, platform(settings), template, xproxy)
    return ReloadingProxy(made, audit_interval=settings.audit_interval_sec)


def platform(settings: Settings) -> Platform:
    """How the driven proxy's configuration is checked and loaded."""
    if settings.proxy_platform == "haproxy":
        return haproxy_platform(
            command=settings.haproxy_argv,
            reload_command=settings.haproxy_reload_argv,
            master_socket=settings.haproxy_master_socket,
            config=Path(settings.haproxy_config),
            ignore_check=settings.haproxy_ignore_check,
            reload_disabled=settings.haproxy_reload_disabled,
            timeout=settings.command_timeout_sec,
        )
    return nginx_platform(
        command=settings.nginx_argv,
        config=Path(settings.nginx_config),
        ignore_check=settings.nginx_ignore_check,
        reload_disabled=settings.nginx_reload_disabled,
        timeout=settings.command_timeout_sec,
    )
