"""The stand-in for NGINX Plus on the bench in process, and instances behind it."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path

import structlog
from aiohttp import web
from tests.benches.in_process import CountingMetrics, InProcessBench
from tests.standins.nginx_plus.server import NginxPlus as StandIn
from tests.traffic import Instance

from drove_gateway.config import Settings
from drove_gateway.daemon.outside import this_machine
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.installation.installation import Installation, NoInstallation
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.installation.template_functions import template_functions
from drove_gateway.proxies.nginx.adapter import NginxAdapter, Parameters
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.client import Client
from drove_gateway.proxies.registry import kind_of
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import Lookup, Resolver
from drove_gateway.proxies.runtime.rules import RuntimeRules

# {{range}} over the apps, as an operator's template has it.
WITH_STATE = """
{{range .Apps}}upstream {{.Vhost}} { zone {{.Vhost}} 64k; state /state/{{.Vhost}}.conf; }
{{end}}"""
WITHOUT_STATE = """
{{range .Apps}}upstream {{.Vhost}} { zone {{.Vhost}} 64k;
{{range .Hosts}}server {{.Host}}:{{.Port}} max_fails=0 fail_timeout=1s;
{{end}} }
{{end}}"""
PROOF = """# drove-gateway: generation http://127.0.0.1:%d/generation
server { location = /generation { return 200 {{.Generation}}; } }
"""


def host(address: str, port_type: str = "http") -> Host:
    name, _, port = address.rpartition(":")
    return Host(name, int(port), port_type)


def app(vhost: str, servers: Iterable[str], tags: Mapping[str, str] | None = None) -> App:
    hosts = tuple(map(host, servers))
    tags = tags or {}
    return App(vhost, vhost, hosts, tags, {vhost: HostGroup(hosts, tags)}, "")


def topology(vhosts: Mapping[str, Iterable[str]], *, leader: str = "http://c1:4000") -> Topology:
    """Apps by vhost, each with its servers; one namespace with a vhost for its leader."""
    seen = Namespace("drove.example", Leader(leader, "c1", 4000), "")
    return Topology(
        {vhost: app(vhost, servers) for vhost, servers in vhosts.items()}, {"one": seen}
    )


class Rig(InProcessBench):
    """The driver for a stand-in of NGINX Plus."""

    def __init__(self, nginx: StandIn, driver: RuntimeProxy, metrics: CountingMetrics) -> None:
        super().__init__(driver, metrics)
        self.nginx = nginx


def _installation(
    nginx: StandIn,
    directory: Path,
    template: str | Path,
    environ: Mapping[str, str],
    settings: Mapping[str, object],
    log: EventLog,
) -> Installation:
    """Make what writes and loads the stand-in's configuration."""
    path = directory / "nginx.tmpl"
    if isinstance(template, Path):
        path = template
    else:
        path.write_text(PROOF % nginx.traffic_port + template)
    nginx.conf_path = directory / "nginx.conf"
    used = Settings(
        nginx_config=str(nginx.conf_path),
        nginx_template=str(path),
        nginx_cmd=" ".join(nginx.command),
        **dict(settings),  # type: ignore[arg-type]
    )
    file = TemplateFile(path, ("{{", "}}"), template_functions(environ, (1, 25, 5)))
    configured = kind_of(used).file
    assert configured is not None
    return configured.installation(file, this_machine(environ, Metrics(), log))


@contextlib.asynccontextmanager
async def rigged(
    nginx: StandIn,
    directory: Path,
    *,
    template: str | Path | None = WITH_STATE,
    environ: Mapping[str, str] | None = None,
    settings: Mapping[str, object] | None = None,
    access: Access | None = None,
    lookup: Lookup | None = None,
    audit_interval: float = 0.2,
    drain_timeout: float = 30.0,
    timeout: float = 2.0,
    owned: frozenset[str] = frozenset(),
    ttl: float = 30.0,
) -> AsyncIterator[Rig]:
    """Make the driver for a running stand-in. Without a `template`, reloads are disabled."""
    metrics = CountingMetrics()
    log = EventLog(structlog.get_logger())
    client = Client(
        access or Access(nginx.api_address),
        timeout=timeout,
        metrics=metrics,
        log=EventLog(structlog.get_logger()),
    )
    made: Installation = NoInstallation("nginx")
    if template is not None:
        made = _installation(nginx, directory, template, environ or {}, settings or {}, log)
    parameters = Parameters(max_fails=0, fail_timeout="1s", slow_start="0s")
    driver = RuntimeProxy(
        NginxAdapter(client, parameters, metrics=metrics, clock=time.monotonic),
        RuntimeRules(
            drain_timeout=drain_timeout,
            drain_timeout_tag="drain",
            audit_interval=audit_interval,
            watch_interval=0.02,
            owned=owned,
            orphan_patience=0.1,
        ),
        Resolver(lookup or _no_lookup, timeout=1.0, ttl=ttl, clock=time.monotonic),
        made,
        clock=time.monotonic,
        log=log,
    )
    try:
        yield Rig(nginx, driver, metrics)
    finally:
        await client.close()


async def _no_lookup(name: str) -> list[str]:
    raise OSError(f"no resolver for {name}")


class Holding:
    """An instance that responds to `/slow` once `let_go` is set, to anything else at once."""

    def __init__(self) -> None:
        self.address = ""
        self.waiting = 0
        self.let_go = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        if request.path == "/slow":
            self.waiting += 1
            await self.let_go.wait()
        return web.Response(text=self.address)


@contextlib.asynccontextmanager
async def holding(count: int) -> AsyncIterator[list[Holding]]:
    """Run instances that hold requests, each on its own port."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for instance in (Holding() for _ in range(count)):
            application = web.Application()
            application.router.add_route("*", "/{path:.*}", instance.answer)
            runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            instance.address = f"127.0.0.1:{runner.addresses[0][1]}"
            made.append(instance)
        yield made


@contextlib.asynccontextmanager
async def instances(count: int) -> AsyncIterator[list[Instance]]:
    """Run instances that respond with their address."""
    made = [await Instance().start() for _ in range(count)]
    for instance in made:
        instance.name = address_of(instance)
    try:
        yield made
    finally:
        for instance in made:
            await instance.stop()


def address_of(instance: Instance) -> str:
    return f"{instance.host}:{instance.port}"
