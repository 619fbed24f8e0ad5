"""What surrounds the driver in the gateway, as small as it can be: a loop of plan and apply."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from datetime import UTC
from pathlib import Path
from typing import Any

import structlog
from tests.proxies.haproxy.process import Haproxy
from tests.traffic import Instance, free_port
from tests.waiting import until

import drove_gateway.templates
from drove_gateway.config import Settings
from drove_gateway.config.addresses import UnixSocket
from drove_gateway.gotemplate.functions.gateway import gateway_functions
from drove_gateway.gotemplate.go.time import GoTime
from drove_gateway.metrics import Metrics
from drove_gateway.model.errors import GatewayError
from drove_gateway.model.plan import Outcome, Plan
from drove_gateway.model.vocabulary import (
    App,
    Host,
    HostGroup,
    Leader,
    Namespace,
    Topology,
)
from drove_gateway.proxies.haproxy.adapter import HaproxyAdapter
from drove_gateway.proxies.haproxy.api.client import RuntimeApi
from drove_gateway.proxies.haproxy.options import options
from drove_gateway.proxies.haproxy.platform import haproxy_platform
from drove_gateway.proxies.installation.file_installation import FileInstallation
from drove_gateway.proxies.installation.installation import NoInstallation
from drove_gateway.proxies.installation.proof import ask, prove
from drove_gateway.proxies.installation.render import render
from drove_gateway.proxies.installation.rendering import Renderer
from drove_gateway.proxies.installation.template_data import context
from drove_gateway.proxies.installation.template_file import TemplateFile
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.proxies.runtime.resolver import Lookup, Resolver, system_lookup
from drove_gateway.proxies.runtime.rules import runtime_rules

_TEMPLATES = Path(drove_gateway.templates.__path__[0])


class Counts:
    """Metrics that count."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, bool], int] = {}
        self.durations: list[tuple[str, float]] = []

    def call(self, operation: str, ok: bool) -> None:
        self.calls[operation, ok] = self.calls.get((operation, ok), 0) + 1

    def duration(self, result: str, seconds: float) -> None:
        self.durations.append((result, seconds))


class Gateway:
    """A driver, a real HAProxy, and a reconciler's loop around them."""

    def __init__(
        self,
        program: Path,
        directory: Path,
        *,
        template: str = "haproxy.tmpl",
        lookup: Lookup = system_lookup,
        runtime_timeout: float = 5.0,
        ports: tuple[int, int] | None = None,
        **settings: Any,
    ) -> None:
        self.haproxy = Haproxy(program, directory)
        self.ports = ports or (free_port(), free_port())
        self.port = self.ports[0]
        self.metrics = Counts()
        self.desired = Topology(apps={}, namespaces={})
        self.outcomes: list[tuple[Plan, Outcome]] = []
        self.errors: list[str] = []
        self._wake = asyncio.Event()
        self._applying = False
        self._demands: tuple[str, ...] = ()
        self._task: asyncio.Task[None] | None = None
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
        self.installation = self._installation(environ)
        self.driver = self._driver(lookup, runtime_timeout)

    def _installation(self, environ: Mapping[str, str]) -> FileInstallation:
        settings = self.settings
        functions = {
            **gateway_functions(environ, lambda: GoTime(time.time_ns(), UTC, monotonic=0)),
            "proxyAtLeast": lambda _: True,
        }
        return FileInstallation(
            haproxy_platform(settings),
            TemplateFile(Path(settings.haproxy_template), settings.delimiters, functions),
            Renderer(
                lambda compiled, topology: render(
                    compiled, context(topology, settings, "test"), servers_by_api=True
                ),
                Metrics(),
            ),
            delims=settings.delimiters,
            timeout=20,
            prove=prove,
            ask=ask,
            clock=time.monotonic,
        )

    def _driver(self, lookup: Lookup, runtime_timeout: float) -> RuntimeProxy:
        address = self.settings.haproxy_socket
        assert isinstance(address, UnixSocket)
        api = RuntimeApi(
            address, timeout=runtime_timeout, clock=time.monotonic, metrics=self.metrics
        )
        return RuntimeProxy(
            HaproxyAdapter(api, options(self.settings)),
            runtime_rules(self.settings),
            Resolver(lookup, timeout=1.0, ttl=0.2, clock=time.monotonic),
            NoInstallation("HAProxy")
            if self.settings.haproxy_reload_disabled
            else self.installation,
            clock=time.monotonic,
            log=structlog.get_logger(),
        )

    async def start(self, topology: Topology) -> None:
        """Write the file, start HAProxy, then the gateway; ends when `topology` serves."""
        await self.installation.write(topology)
        await self.haproxy.start()
        self.begin()
        await self.reach(topology)

    def begin(self) -> None:
        """Start the gateway's loops, whether or not HAProxy runs."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Stop the gateway, then HAProxy."""
        await self.end()
        await self.haproxy.kill()

    async def end(self) -> None:
        """Stop the gateway alone."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def desire(self, topology: Topology) -> None:
        """What the reconciler does when the topology changed."""
        self.desired = topology
        self._wake.set()

    def demand(self, reason: str) -> None:
        """What the reconciler does when the template changed, or somebody asks for a reload."""
        self._demands = (*self._demands, reason)
        self._wake.set()

    async def reach(self, topology: Topology, seconds: float = 20) -> None:
        """Desire `topology` and wait until the driver says that it is reached."""
        self.desire(topology)
        await self.settled(seconds)

    async def settled(self, seconds: float = 20) -> None:
        """Wait until nothing is left to do."""
        try:
            await until(self.is_settled, seconds)
        except AssertionError as error:
            raise AssertionError(
                f"not settled: {self.driver.health()}, {self.errors[-1:]}"
            ) from error

    def is_settled(self) -> bool:
        """Whether the driver has nothing to do and is healthy."""
        if self._applying or self._wake.is_set():
            return False
        health = self.driver.health()
        return self.driver.plan(self.desired).empty and health.upstream_updates.healthy

    async def gone(self, instances: Sequence[Instance]) -> None:
        """Wait until HAProxy has no server for any of `instances`."""
        names = {server_name(one) for one in instances}

        async def none_left() -> bool:
            state = await self.haproxy.say("show servers state")
            return not names & {line.split(" ")[3] for line in state.splitlines()[2:]}

        await until(none_left)

    async def servers(self, backend: str) -> dict[str, tuple[str, int, int]]:
        """Address, port and administrative state by name, read past the driver."""
        lines = (await self.haproxy.say(f"show servers state {backend}")).splitlines()[2:]
        fields = [line.split(" ") for line in lines]
        return {one[3]: (one[4], int(one[18]), int(one[6])) for one in fields}

    @property
    def reloads(self) -> list[str]:
        """The reasons of every reload that happened."""
        return [
            step.reason
            for _, outcome in self.outcomes
            for step in outcome.steps
            if step.action == "reload"
        ]

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.driver.run(lambda _: self._wake.set()))
            tasks.create_task(self._reconcile())

    async def _reconcile(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            plan = self.driver.plan(self.desired, self._demands)
            if plan.empty:
                continue
            self._applying = True
            try:
                self.outcomes.append((plan, await self.driver.apply(plan)))
                self._demands = ()
            except GatewayError as error:
                self.errors.append(str(error))
                asyncio.get_running_loop().call_later(0.2, self._wake.set)
            finally:
                self._applying = False


def app(vhost: str, instances: Sequence[Instance], **tags: str) -> App:
    """An app of instances that listen."""
    hosts = tuple(Host(one.host, one.port, "http") for one in instances)
    return App(vhost, vhost, hosts, tags, {vhost: HostGroup(hosts, tags)}, "")


def grouped(vhost: str, groups: Mapping[str, Sequence[Instance]]) -> App:
    """An app whose instances are grouped by the routing tag `env`."""
    made = {
        name: HostGroup(tuple(Host(one.host, one.port, "http") for one in ones), {})
        for name, ones in groups.items()
    }
    hosts = tuple(host for group in made.values() for host in group.hosts)
    return App(vhost, vhost, hosts, {}, made, "env")


def topology(*apps: App, leader: Leader | None = None) -> Topology:
    """A topology of one namespace."""
    namespace = Namespace("", leader or Leader(), "env")
    return Topology({one.vhost: one for one in apps}, {"test": namespace})


def server_name(instance: Instance) -> str:
    """The name that an instance's server has in HAProxy."""
    return f"server_{instance.host}_{instance.port}"
