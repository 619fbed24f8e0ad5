"""Settings to the driver of the configured proxy. Nothing starts here."""

import time
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from structlog.typing import FilteringBoundLogger

from drove_gateway.config import Settings
from drove_gateway.config.addresses import SocketAddress
from drove_gateway.daemon.assembly import namespace_rules
from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.metrics import Metrics
from drove_gateway.model.plan import Plan
from drove_gateway.model.proxy import Proxy
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.options import options
from drove_gateway.proxies.haproxy.platform import haproxy_platform
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.installation import Installation, NoInstallation
from drove_gateway.proxies.installation.platform import Platform
from drove_gateway.proxies.installation.preview import Preview, Seen, look_at_generation
from drove_gateway.proxies.installation.proof import ask, prove
from drove_gateway.proxies.installation.reloading import ReloadingProxy
from drove_gateway.proxies.installation.render import Rendered, context, render
from drove_gateway.proxies.installation.rendering import Renderer, RenderMetrics
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.version import Version, at_least, installed_version
from drove_gateway.proxies.nginx.platform import nginx_platform
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.adapter import NginxPlusAdapter, Parameters
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.preview import preview_servers
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import Resolver, system_lookup
from drove_gateway.proxies.runtime.rules import RuntimeRules, runtime_rules
from drove_gateway.proxies.runtime.structure import structural_changes
from drove_gateway.topology import topology_diff as diff

_RESOLVED_SECONDS = 10.0
# A runtime socket that hangs holds every change back for so long.
_RUNTIME_API_SECONDS = 5.0


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
    command = settings.haproxy_argv if haproxy else settings.nginx_argv
    version = await installed_version(command, timeout=settings.command_timeout_sec)
    functions = template_functions(environ, version)
    return TemplateFile(template_path(settings), settings.delimiters, functions)


def template_path(settings: Settings) -> Path:
    """Where the template of the platform that is driven stands."""
    haproxy = settings.proxy_platform == "haproxy"
    return Path(settings.haproxy_template if haproxy else settings.nginx_template)


def file_installation(
    settings: Settings,
    platform: Platform,
    template: TemplateFile,
    xproxy: str,
    metrics: RenderMetrics,
    remembered: Topology | None = None,
) -> FileInstallation:
    """What brings configurations to the proxy of `platform`."""
    return FileInstallation(
        platform,
        template,
        Renderer(
            lambda compiled, topology: render(compiled, context(topology, settings, xproxy)),
            metrics,
        ),
        delims=settings.delimiters,
        timeout=settings.command_timeout_sec,
        prove=prove,
        ask=ask,
        clock=time.monotonic,
        remembered=remembered,
    )


async def proxy(
    settings: Settings,
    template: TemplateFile,
    xproxy: str,
    good: Topology | None,
    metrics: Metrics,
    log: FilteringBoundLogger,
    stack: AsyncExitStack,
) -> Proxy:
    """The driver of the configured proxy. What it must close is left to `stack`.

    `good` is what an earlier run applied, if that is known: vhosts that are refused now stay as
    they are in it. With a runtime API and reloads disabled, nothing is rendered or written.
    """
    used = platform(settings)
    made: Installation = NoInstallation(used.name)
    if not runtime_only(settings):
        made = file_installation(settings, used, template, xproxy, metrics, good)
    adapter = _adapter(settings, metrics, stack)
    if adapter is not None:
        return RuntimeProxy(
            adapter,
            _rules(settings),
            resolver(settings),
            made,
            clock=time.monotonic,
            log=log,
        )
    return ReloadingProxy(made, audit_interval=settings.audit_interval_sec)


async def preview(
    settings: Settings, desired: Topology, rendered: Rendered, applied: Topology | None
) -> Preview:
    """What a gateway that begins now would do to the proxy, which is only read.

    `applied` is what an earlier run applied, if that is known: it tells why a reload is needed.
    """
    metrics = Metrics(version="")
    async with AsyncExitStack() as stack:
        adapter = _adapter(settings, metrics, stack)
        servers = Seen()
        if adapter is not None:
            servers = await preview_servers(
                adapter,
                _rules(settings),
                resolver(settings),
                desired,
                reloads=not runtime_only(settings),
                clock=time.monotonic,
            )
    if runtime_only(settings):
        return Preview(Plan(desired, servers=servers.steps), servers.notes, servers.complete)
    found = await look_at_generation(platform(settings), rendered, ask)
    reload = (*found.reload, *servers.reload)
    if reload and applied is not None:
        # What changed on the cluster tells more than what the proxy therefore lacks.
        reload = (*found.reload, *(_structural(adapter, applied, desired) or servers.reload))
    notes = (*servers.notes, *found.notes)
    complete = servers.complete and found.complete
    return Preview(Plan(desired, reload, servers.steps), notes, complete)


def runtime_only(settings: Settings) -> bool:
    """Whether nothing is rendered or written: a runtime API, and reloads are disabled."""
    if settings.proxy_platform == "haproxy":
        return settings.haproxy_reload_disabled and settings.haproxy_socket is not None
    return settings.nginx_reload_disabled and bool(settings.nginxplusapiaddr)


def _structural(adapter: Adapter | None, applied: Topology, desired: Topology) -> tuple[str, ...]:
    """What of the cluster's changes only a reload brings."""
    if adapter is not None:
        return structural_changes(applied, desired, adapter.backends)
    return diff.reasons(diff.topology_diff(applied, desired))


def resolver(settings: Settings) -> Resolver:
    """Host names to addresses, for the runtime APIs, which want addresses."""
    return Resolver(
        system_lookup,
        timeout=settings.dns_resolution_timeout_sec,
        ttl=_RESOLVED_SECONDS,
        clock=time.monotonic,
    )


def _runtime_api(settings: Settings, address: SocketAddress, metrics: Metrics) -> RuntimeApi:
    return RuntimeApi(
        address,
        timeout=min(settings.api_timeout, _RUNTIME_API_SECONDS),
        clock=time.monotonic,
        metrics=metrics,
    )


def _nginx_plus_client(settings: Settings, metrics: Metrics) -> Client:
    access = Access(
        address=settings.nginxplusapiaddr,
        user=settings.nginxplusapi_user,
        password=settings.nginxplusapi_pass.get_secret_value(),
        ca_file=settings.nginxplusapi_ca_file,
        skip_verify=settings.nginxplusapi_skip_verify,
    )
    return Client(access, timeout=settings.api_timeout, metrics=metrics)


def _adapter(settings: Settings, metrics: Metrics, stack: AsyncExitStack) -> Adapter | None:
    """The proxy's runtime API, where one is configured. What must be closed is left to `stack`."""
    if settings.proxy_platform == "haproxy" and settings.haproxy_socket is not None:
        api = _runtime_api(settings, settings.haproxy_socket, metrics)
        return HaproxyAdapter(api, options(settings))
    if settings.proxy_platform == "nginx" and settings.nginxplusapiaddr:
        client = _nginx_plus_client(settings, metrics)
        stack.push_async_callback(client.close)
        parameters = Parameters(
            max_fails=settings.nginx_max_fails,
            fail_timeout=settings.nginx_fail_timeout,
            slow_start=settings.nginx_slow_start,
        )
        return NginxPlusAdapter(client, parameters, metrics=metrics, clock=time.monotonic)
    return None


def _rules(settings: Settings) -> RuntimeRules:
    # HAProxy's backends may be named by group: only an upstream is named like its vhost.
    haproxy = settings.proxy_platform == "haproxy"
    realms = () if haproxy else (rule.realm for rule in namespace_rules(settings))
    return runtime_rules(settings, frozenset().union(*realms))


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
