"""NGINX as a kind of proxy: NGINX, OpenResty, and with its API also NGINX Plus."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from drove_gateway.config import Settings
from drove_gateway.proxies.certificates.sni import names_of_file
from drove_gateway.proxies.file_kind import Connect, FileKind
from drove_gateway.proxies.installation.configured_file import ConfiguredFile, Program
from drove_gateway.proxies.installation.template_file import read_template
from drove_gateway.proxies.kind import ProxyKind
from drove_gateway.proxies.nginx.adapter import NginxAdapter, Parameters
from drove_gateway.proxies.nginx.configuration_text import served_by_file
from drove_gateway.proxies.nginx.hazards import examine
from drove_gateway.proxies.nginx.lint import lint
from drove_gateway.proxies.nginx.lua.balancer import LuaBalancer
from drove_gateway.proxies.nginx.lua.configuration import LuaOptions
from drove_gateway.proxies.nginx.lua.dynamics import dynamics
from drove_gateway.proxies.nginx.lua.known_addresses import KnownAddresses
from drove_gateway.proxies.nginx.lua.template_functions import (
    LuaUse,
    hosts_of,
    lua_functions,
    lua_use,
)
from drove_gateway.proxies.nginx.lua.vhost_blocks import without_runtime
from drove_gateway.proxies.nginx.names import Naming
from drove_gateway.proxies.nginx.platform import nginx_platform
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.nginx.workers import nginx_workers
from drove_gateway.proxies.outside import Outside
from drove_gateway.proxies.runtime.adapter import Adapter
from drove_gateway.proxies.runtime.rules import runtime_rules
from drove_gateway.topology.namespace_build import parse_rules


def nginx_kind(settings: Settings) -> ProxyKind:
    """Return NGINX as `settings` describe it."""
    has_api = bool(settings.nginxplusapiaddr)
    use = _lua_use(settings)
    addresses = KnownAddresses()
    platform = nginx_platform(settings)
    file = Path(settings.nginx_config).absolute()
    where = settings.nginxplusapiaddr if settings.nginx_reload_disabled else file
    return FileKind(
        name=platform.name,
        identity=f"nginx {where}",
        file=ConfiguredFile(
            settings=settings,
            template_path=Path(settings.nginx_template),
            program=Program("nginx_cmd", settings.nginx_argv),
            platform=platform,
            installed=not (settings.nginx_reload_disabled and has_api),
            examine=examine,
            shared=without_runtime if has_api else None,
            functions=lua_functions(_balancer(settings), use, addresses),
            facts=lambda: addresses.changes,
            lint=lint,
        ),
        rules=runtime_rules(settings, _realms(settings)),
        backends=lambda app: hosts_of(app, groups=use.groups),
        naming=Naming(),
        apis=(settings.nginxplusapiaddr,) if has_api else (),
        connect=_connect(settings, use, addresses) if has_api else None,
        count_workers=lambda: nginx_workers(file),
        one_protocol=True,
        read_served=served_by_file,
        describe=dynamics,
        presented=names_of_file,
    )


def _balancer(settings: Settings) -> Callable[[], LuaOptions]:
    """Return how the Lua balancer is set up; a template that has none never calls it."""

    def options() -> LuaOptions:
        if not settings.nginxplusapiaddr:
            raise ValueError(
                "luaBalancer needs nginxplusapiaddr, where the Lua balancer's API listens, "
                'such as "unix:/run/drove-gateway-nginx.sock"'
            )
        return LuaOptions(
            listen=settings.nginxplusapiaddr.removeprefix("http://"),
            max_fails=settings.nginx_max_fails,
            fail_timeout=settings.nginx_fail_timeout,
            slow_start=settings.nginx_slow_start,
        )

    return options


def _lua_use(settings: Settings) -> LuaUse:
    """Read from the template whether NGINX has the Lua balancer."""
    if settings.nginx_reload_disabled or not settings.nginxplusapiaddr:
        return LuaUse()
    try:
        return lua_use(read_template(Path(settings.nginx_template)))
    except OSError:
        # That it cannot be read is reported when it is rendered.
        return LuaUse()


def _connect(settings: Settings, use: LuaUse, addresses: KnownAddresses) -> Connect:
    access = Access(
        address=settings.nginxplusapiaddr,
        user=settings.nginxplusapi_user,
        password=settings.nginxplusapi_pass.get_secret_value(),
        ca_file=settings.nginxplusapi_ca_file,
        skip_verify=settings.nginxplusapi_skip_verify,
        product="NGINX" if use.balancer else "NGINX Plus",
    )
    parameters = Parameters(
        max_fails=settings.nginx_max_fails,
        fail_timeout=settings.nginx_fail_timeout,
        slow_start=settings.nginx_slow_start,
    )

    def connect(outside: Outside, stack: AsyncExitStack) -> Adapter:
        metrics = outside.metrics.runtime_api("nginx")
        client = Client(access, timeout=settings.api_timeout, metrics=metrics, log=outside.log)
        stack.push_async_callback(client.close)
        balancer = None
        if use.balancer:
            balancer = LuaBalancer(
                client, parameters.fields(), use=use, addresses=addresses, log=outside.log
            )
        return NginxAdapter(
            client, parameters, metrics=metrics, clock=outside.clock, balancer=balancer
        )

    return connect


def _realms(settings: Settings) -> frozenset[str]:
    """Return the vhosts that the realms name individually; upstreams have their names."""
    namespaces = (
        parse_rules(each.name, each.realm, each.realm_suffix, each.routing_tag, each.leader_vhost)
        for each in settings.namespaces
    )
    return frozenset().union(*(namespace.realm for namespace in namespaces))
