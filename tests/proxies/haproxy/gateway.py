"""A real HAProxy on the bench in process, with the shipped template."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import structlog
from tests.benches.in_process import CountingMetrics, InProcessBench
from tests.proxies.haproxy.process import Haproxy
from tests.traffic import Instance, free_port
from tests.waiting import until

import drove_gateway.templates
from drove_gateway.config import Settings
from drove_gateway.config.addresses import UnixSocket
from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.go.time import GoTime
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
from drove_gateway.proxies.certificates.follower import Certificates
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.backend_changes import shared_text
from drove_gateway.proxies.haproxy.certificates import HaproxyCertificates
from drove_gateway.proxies.haproxy.configuration_reader import ConfigurationReader
from drove_gateway.proxies.haproxy.options import options
from drove_gateway.proxies.haproxy.platform import haproxy_platform
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.installation import NoInstallation
from drove_gateway.proxies.installation.proof import ask, prove
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.runtime.added_backends import AddedBackends
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import Lookup, Resolver, system_lookup
from drove_gateway.proxies.runtime.rules import runtime_rules

VHOSTS_TEMPLATE = Path(__file__).with_name("vhosts.tmpl")
"""A template whose vhosts come and go at runtime."""

_TEMPLATES = Path(drove_gateway.templates.__path__[0])


class Gateway(InProcessBench):
    """The driver for a real HAProxy, which `start` starts."""

    def __init__(
        self,
        program: Path,
        directory: Path,
        *,
        template: str = "haproxy.tmpl",
        lookup: Lookup = system_lookup,
        runtime_timeout: float = 5.0,
        ports: tuple[int, int] | None = None,
        certificates: Path | None = None,
        added: AddedBackends | None = None,
        **settings: Any,
    ) -> None:
        self.haproxy = Haproxy(program, directory)
        self.ports = ports or (free_port(), free_port())
        self.port = self.ports[0]
        self.certificates = certificates or directory
        self.tls_port = free_port() if certificates else 0
        self.added = added
        self.settings = Settings.model_validate(
            {
                "proxy_platform": "haproxy",
                "haproxy_config": str(self.haproxy.config),
                "haproxy_template": str(_TEMPLATES / template),
                "haproxy_cmd": str(program),
                "haproxysocketaddr": str(self.haproxy.socket),
                "haproxy_master_socket": str(self.haproxy.master),
                **settings,
            }
        )
        environ = {
            "PROXY_HTTP_PORT": str(self.port),
            "GENERATION_PORT": str(self.ports[1]),
            "HAPROXY_USER": "none",
            "HAPROXY_LOG": "none",
        }
        if certificates:
            # As operators write directories.
            environ |= {"TLS_CERTIFICATES": f"{certificates}/"}
            environ |= {"PROXY_HTTPS_PORT": str(self.tls_port)}
        self.reader = ConfigurationReader(options(self.settings).naming.is_ours)
        self.installation = self._installation(environ)
        metrics = CountingMetrics()
        super().__init__(self._driver(lookup, runtime_timeout, metrics), metrics)

    def _installation(self, environ: Mapping[str, str]) -> FileInstallation:
        settings = self.settings
        shared = shared_text(self.reader)
        functions = {
            **gateway_functions(environ, lambda: GoTime(time.time_ns(), UTC, monotonic=0)),
            "proxyAtLeast": lambda _: True,
        }
        return FileInstallation(
            haproxy_platform(settings),
            TemplateFile(Path(settings.haproxy_template), settings.delimiters, functions),
            Renderer(
                lambda compiled, topology: render(
                    compiled,
                    context(topology, settings, "test", environ),
                    shared,
                ),
                Metrics(),
            ),
            delims=settings.delimiters,
            timeout=20,
            prove=prove,
            ask=ask,
            clock=time.monotonic,
        )

    def _driver(
        self, lookup: Lookup, runtime_timeout: float, metrics: CountingMetrics
    ) -> RuntimeProxy:
        address = self.settings.haproxy_socket
        assert isinstance(address, UnixSocket)
        api = RuntimeApi(
            address,
            timeout=runtime_timeout,
            clock=time.monotonic,
            metrics=metrics,
            log=EventLog(structlog.get_logger()),
        )
        self.carrier = HaproxyCertificates(api, clock=time.monotonic, retry=0.2)
        certificates = Certificates(
            self.certificates,
            self.carrier,
            clock=time.time,
            log=EventLog(structlog.get_logger()),
            interval=0.05,
        )
        return RuntimeProxy(
            HaproxyAdapter(api, options(self.settings), self.reader),
            runtime_rules(self.settings),
            Resolver(lookup, timeout=1.0, ttl=0.2, clock=time.monotonic),
            NoInstallation("HAProxy")
            if self.settings.haproxy_reload_disabled
            else self.installation,
            clock=time.monotonic,
            log=EventLog(structlog.get_logger()),
            certificates=certificates if self.tls_port else None,
            added=self.added,
        )

    async def start(self, topology: Topology) -> None:
        """Write the file, start HAProxy, then the gateway. Wait until `topology` is served."""
        await self.installation.write(topology)
        await self.haproxy.start()
        self.begin()
        await self.reach(topology)

    async def stop(self) -> None:
        """Stop the gateway, then HAProxy."""
        await self.end()
        await self.haproxy.kill()

    async def gone(self, instances: Sequence[Instance]) -> None:
        """Wait until HAProxy has no server for any of `instances`."""
        names = {server_name(instance) for instance in instances}

        async def none_left() -> bool:
            state = await self.haproxy.say("show servers state")
            return not names & {line.split(" ")[3] for line in state.splitlines()[2:]}

        await until(none_left)

    async def written(self) -> None:
        """Wait until the file on disk has every change."""
        await until(lambda: not self.driver.file_is_behind)

    async def drained(self) -> None:
        """Wait until no removed server or backend is left."""
        await until(lambda: not self.driver.draining and not self.driver.leaving)

    async def servers(self, backend: str) -> dict[str, tuple[str, int, int]]:
        """Return address, port and administrative state by name, without the driver."""
        lines = (await self.haproxy.say(f"show servers state {backend}")).splitlines()[2:]
        fields = [line.split(" ") for line in lines]
        return {line[3]: (line[4], int(line[18]), int(line[6])) for line in fields}


def app(vhost: str, instances: Sequence[Instance], **tags: str) -> App:
    """An app of instances that listen."""
    hosts = tuple(Host(instance.host, instance.port, "http") for instance in instances)
    return App(vhost, vhost, hosts, tags, {vhost: HostGroup(hosts, tags)}, "")


def grouped(vhost: str, groups: Mapping[str, Sequence[Instance]]) -> App:
    """An app whose instances are grouped by the routing tag `env`."""
    made = {
        name: HostGroup(tuple(Host(it.host, it.port, "http") for it in instances), {})
        for name, instances in groups.items()
    }
    hosts = tuple(host for group in made.values() for host in group.hosts)
    return App(vhost, vhost, hosts, {}, made, "env")


def topology(*apps: App, leader: Leader | None = None) -> Topology:
    """A topology of one namespace."""
    namespace = Namespace("", leader or Leader(), "env")
    return Topology({app.vhost: app for app in apps}, {"test": namespace})


def server_name(instance: Instance) -> str:
    """The name that an instance's server has in HAProxy."""
    return f"server_{instance.host}_{instance.port}"
