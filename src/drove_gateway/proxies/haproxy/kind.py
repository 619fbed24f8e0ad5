"""HAProxy as a kind of proxy, with or without its runtime API."""

import os
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.config.addresses import SocketAddress, TcpSocket
from drove_gateway.proxies.certificates.follower import CarriesCertificates
from drove_gateway.proxies.file_kind import Connect, FileKind
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.backend_changes import shared_text
from drove_gateway.proxies.haproxy.backend_form import serves_wildcards, with_backend_form
from drove_gateway.proxies.haproxy.certificates import HaproxyCertificates
from drove_gateway.proxies.haproxy.configuration_reader import ConfigurationReader
from drove_gateway.proxies.haproxy.configuration_text import served_by_file, vhost_and_group
from drove_gateway.proxies.haproxy.hazards import examine
from drove_gateway.proxies.haproxy.lint import lint
from drove_gateway.proxies.haproxy.options import Options, options
from drove_gateway.proxies.haproxy.platform import haproxy_platform
from drove_gateway.proxies.haproxy.workers import haproxy_workers
from drove_gateway.proxies.installation.configured_file import ConfiguredFile, Program
from drove_gateway.proxies.kind import ProxyKind
from drove_gateway.proxies.outside import Outside
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.rules import runtime_rules

# A runtime socket that hangs holds every change back for this long.
_RUNTIME_API_SECONDS = 5.0


def haproxy_kind(settings: Settings) -> ProxyKind:
    """Return HAProxy as `settings` describe it."""
    settings = with_backend_form(settings)
    address = settings.haproxy_socket
    how = options(settings, wildcards=serves_wildcards(settings))
    reader = ConfigurationReader(how.naming.is_ours)
    platform = haproxy_platform(settings)
    by_api_alone = settings.haproxy_reload_disabled and address is not None
    file = Path(settings.haproxy_config).absolute()
    where = settings.haproxysocketaddr if settings.haproxy_reload_disabled else file
    grouped = how.naming.routing_tag_suffix is not False and any(
        each.routing_tag for each in settings.namespaces
    )
    return FileKind(
        name=platform.name,
        identity=f"haproxy {where}",
        file=ConfiguredFile(
            settings=settings,
            template_path=Path(settings.haproxy_template),
            program=Program("haproxy_cmd", settings.haproxy_argv),
            platform=platform,
            installed=not by_api_alone,
            shared=None if address is None else shared_text(reader),
            examine=examine,
            lint=lint,
        ),
        rules=runtime_rules(settings),
        backends=lambda app: sorted(how.naming.backends(app)),
        connect=None if address is None else _connect(settings, address, how, reader),
        count_workers=lambda: haproxy_workers(
            file,
            settings.haproxy_master_socket,
            timeout=_RUNTIME_API_SECONDS,
        ),
        read_served=lambda text: served_by_file(text, how.naming, grouped=grouped),
        split_name=lambda name, names: vhost_and_group(name, how.naming, names, grouped=grouped),
        naming=how.naming,
        carry=None if address is None else _carry(settings, address),
        apis=tuple(_apis(settings)),
    )


def _apis(settings: Settings) -> Iterator[str]:
    """Yield the sockets that reach the proxy, each in one spelling."""
    address = settings.haproxy_socket
    if isinstance(address, TcpSocket):
        yield f"{address.host}:{address.port}"
    elif address is not None:
        yield os.path.realpath(address.path)
    if settings.haproxy_master_socket:
        yield os.path.realpath(settings.haproxy_master_socket)


def _connect(
    settings: Settings, address: SocketAddress, how: Options, reader: ConfigurationReader
) -> Connect:
    def connect(outside: Outside, stack: AsyncExitStack) -> Adapter:
        del stack
        return HaproxyAdapter(_api(settings, address, outside), how, reader)

    return connect


def _carry(settings: Settings, address: SocketAddress) -> Callable[[Outside], CarriesCertificates]:
    return lambda outside: HaproxyCertificates(
        _api(settings, address, outside), clock=outside.clock
    )


def _api(settings: Settings, address: SocketAddress, outside: Outside) -> RuntimeApi:
    return RuntimeApi(
        address,
        timeout=min(settings.api_timeout, _RUNTIME_API_SECONDS),
        clock=outside.clock,
        metrics=outside.metrics.runtime_api("haproxy"),
        log=outside.log,
    )
