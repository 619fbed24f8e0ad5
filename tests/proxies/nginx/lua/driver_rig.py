"""The gateway's driver and real NGINX with the Lua balancer, in the test's process.

The template is the shipped `nginx-lua`, unless a test has its own.
"""

import contextlib
import os
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import msgspec
import structlog
from tests.benches.in_process import CountingMetrics, InProcessBench
from tests.proxies.nginx.lua.rig import LuaNginx, lua_program
from tests.traffic import free_port

from drove_gateway.config import Settings
from drove_gateway.daemon.outside import this_machine
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.proxies.installation.configured_file import ConfiguredFile
from drove_gateway.proxies.nginx.adapter import NginxAdapter, Parameters
from drove_gateway.proxies.nginx.lua.balancer import LuaBalancer
from drove_gateway.proxies.nginx.lua.configuration import LuaOptions
from drove_gateway.proxies.nginx.lua.known_addresses import KnownAddresses
from drove_gateway.proxies.nginx.lua.template_functions import lua_functions, lua_use
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.registry import kind_of
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import Lookup, Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules
from drove_gateway.templates import shipped


class Nginx(LuaNginx):
    """NGINX whose configuration comes from a template."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.proof_port = free_port()


def environment(nginx: Nginx) -> Mapping[str, str]:
    """What the shipped template needs to run as any user in a directory."""
    directory = nginx.directory
    return {
        "PROXY_HTTP_PORT": str(nginx.port),
        "PROXY_IPV6": "off",
        "GENERATION_PORT": str(nginx.proof_port),
        "NGINX_USER": "root" if os.geteuid() == 0 else "none",
        "NGINX_PID": str(directory / "nginx.pid"),
        "NGINX_ERROR_LOG": str(directory / "error.log"),
        "NGINX_ACCESS_LOG": "off",
        "NGINX_TEMP": str(directory),
    }


class Rig(InProcessBench):
    """The driver for NGINX, which serves on `port`."""

    def __init__(
        self, nginx: Nginx, port: int, driver: RuntimeProxy, metrics: CountingMetrics
    ) -> None:
        super().__init__(driver, metrics)
        self.nginx = nginx
        self.port = port


@contextlib.asynccontextmanager
async def running(directory: Path) -> AsyncIterator[Nginx]:
    """NGINX that serves no vhost yet."""
    nginx = Nginx(directory)
    nginx.write({})
    # NGINX cannot go from one address of a port to all of them.
    nginx.port = free_port()
    await nginx.start()
    try:
        yield nginx
    finally:
        await nginx.stop()


@contextlib.asynccontextmanager
async def rigged(
    nginx: Nginx,
    *,
    template: str | None = None,
    memory: str = "",
    drain_timeout: float = 5.0,
    timeout: float = 2.0,
    audit_interval: float = 0.2,
    watch_interval: float = 0.02,
    structure_interval: float = 60.0,
    lookup: Lookup | None = None,
    ttl: float = 30.0,
) -> AsyncIterator[Rig]:
    """A gateway's driver for a running NGINX; `lookup` resolves names, for `ttl` seconds."""
    source = shipped("nginx-lua") if template is None else template
    (nginx.directory / "nginx.tmpl").write_text(source)
    settings = Settings(
        nginx_config=str(nginx.config),
        nginx_template=str(nginx.directory / "nginx.tmpl"),
        nginx_cmd=f"{lua_program()} -p {nginx.directory}",
        nginxplusapiaddr=f"unix:{nginx.socket}",
    )
    log, metrics = EventLog(structlog.get_logger(), "info"), CountingMetrics()
    file = kind_of(settings).file
    assert isinstance(file, ConfiguredFile)
    parameters = Parameters(
        settings.nginx_max_fails, settings.nginx_fail_timeout, settings.nginx_slow_start
    )
    options = LuaOptions(
        settings.nginxplusapiaddr,
        memory,
        parameters.max_fails,
        parameters.fail_timeout,
        parameters.slow_start,
    )
    use, addresses = lua_use(source), KnownAddresses()
    functions = lua_functions(lambda: options, use, addresses)
    facts = lambda: addresses.changes  # noqa: E731
    file = msgspec.structs.replace(file, functions=functions, facts=facts)
    outside = this_machine(environment(nginx), Metrics(), log)
    access = Access(settings.nginxplusapiaddr, product="NGINX")
    client = Client(access, timeout=timeout, metrics=metrics, log=log)
    balancer = LuaBalancer(client, parameters.fields(), use=use, addresses=addresses, log=log)
    driver = RuntimeProxy(
        NginxAdapter(client, parameters, metrics=metrics, clock=time.monotonic, balancer=balancer),
        RuntimeRules(
            drain_timeout=drain_timeout,
            audit_interval=audit_interval,
            watch_interval=watch_interval,
            structure_interval=structure_interval,
        ),
        Resolver(lookup or _no_lookup, timeout=1.0, ttl=ttl, clock=time.monotonic),
        file.installation(await file.template(outside.environ), outside),
        clock=time.monotonic,
        log=log,
    )
    try:
        yield Rig(nginx, nginx.port, driver, metrics)
    finally:
        await client.close()


async def _no_lookup(name: str) -> list[str]:
    raise OSError(f"no resolver for {name}")
