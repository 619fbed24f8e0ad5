"""The test bench as processes: a simulated cluster, a real proxy under traffic, and the daemon.

The cluster runs in the test's own event loop, so that a test calls its methods. Proxy and daemon
are child processes with their files in one directory.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
from tests.traffic import Tally, Traffic, free_port, get
from tests.waiting import until, within

from drove_gateway.demo.clients import Clients, ExpectedResponses
from drove_gateway.demo.daemon import Daemon, nixy_toml
from drove_gateway.demo.proxy import find_program, running_proxy
from drove_gateway.proxies.local import LocalProxy
from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped

# The key of nixy.toml without which HAProxy's servers change by reloads only.
_RUNTIME_API = "haproxysocketaddr"

KINDS = ("nginx", "haproxy-by-reload", "haproxy-by-runtime-api")
APPS = {"web": 3, "api": 3}
LEADER_VHOST = "drove.test"

# Short, so that each fault is met and healed within moments.
PACE: dict[str, object] = {
    "api_timeout": 2.0,
    "ping_interval_sec": 0.3,
    "event_refresh_interval_sec": 0.1,
    "full_refresh_interval_sec": 0.5,
    "reload_min_interval_sec": 0.1,
    "command_timeout_sec": 2.0,
    "audit_interval_sec": 1.0,
    "guard_hold_sec": 3600.0,
    "startup_controller_sync_tries": 2,
    "startup_controller_sync_retry_delay_sec": 0.2,
}

# Constant traffic that still leaves the machine time for what is under test.
_BETWEEN_REQUESTS_SECONDS = 0.005


class Bench:
    """The parts of the bench. `cluster` is what is true; the rest must follow it.

    The daemon calls the proxy's program through a script, which first runs what `interfere` set.
    """

    def __init__(
        self, cluster: Simulator, proxy: LocalProxy, directory: Path, clients: Clients
    ) -> None:
        self.cluster = cluster
        self.proxy = proxy
        self.directory = directory
        self.clients = clients
        self.kind = proxy.kind
        if proxy.kind == "haproxy":
            self.kind += "-by-runtime-api" if has_runtime_api(proxy) else "-by-reload"
        self.daemon = Daemon(directory, f"http://127.0.0.1:{free_port()}", proxy.environ)
        self.wrapper = directory / "wrapper"
        self._interference = directory / "interference"

    def configure(self, settings: Mapping[str, object] = PACE, namespaces: str = "") -> None:
        """Write nixy.toml, the template, and the script before the proxy's program.

        `namespaces` is TOML of further namespaces.
        """
        program = self.proxy.program
        self.wrapper.write_text(
            f"#!/bin/sh\n[ -e {self._interference} ] && . {self._interference}\n"
            f'exec {program} "$@"\n'
        )
        self.wrapper.chmod(0o755)
        self.proxy.template.write_text(shipped(self.proxy.kind))
        command = f"{self.proxy.kind}_cmd"
        wrapped = str(self.proxy.settings[command]).replace(str(program), str(self.wrapper))
        everything = {
            "port": int(self.daemon.api.rpartition(":")[2]),
            "xproxy": "site",
            **settings,
            **self.proxy.settings,
            command: wrapped,
            "state_persistence_dir": f"{self.directory}/state",
        }
        text = nixy_toml(
            everything, namespace="main", urls=self.cluster.urls, leader_vhost=LEADER_VHOST
        )
        self.daemon.config.write_text(text + namespaces)

    def interfere(self, script: str) -> None:
        """From now on, calls of the proxy's program first run this shell script; "" ends it."""
        if script:
            fresh = self._interference.with_suffix(".new")
            fresh.write_text(script + "\n")
            fresh.replace(self._interference)
        else:
            self._interference.unlink(missing_ok=True)

    async def ended(self, number: signal.Signals | None = None, seconds: float = 60) -> int:
        """Send the daemon a signal, if any, and wait for its end. Return its exit code."""
        if number is not None:
            self.daemon.signal(number)
        return await within(
            self.daemon.ended(), seconds, lambda: f"the daemon still runs:\n{self.daemon.tail()}"
        )

    async def health(self) -> dict[str, Any]:
        """`/v1/health`, with its HTTP status as "status"; that is 0 without a response."""
        status, health = await self.daemon.get("/v1/health")
        return {"status": status, **health}

    async def status(self, path: str = "/v1/status") -> Mapping[str, Any]:
        """What the daemon's API reports at `path`."""
        return (await self.daemon.get(path))[1]

    async def accept(self) -> None:
        """`POST /v1/accept`: an operator confirms the withdrawals that are on hold."""
        assert await self._post("/v1/accept") == 200

    async def accepts(self, *names: str, dry_run: bool = False, caller: str = "") -> list[str]:
        """`POST /v1/accept` for some namespaces or vhosts. Return the vhosts it lists."""
        query = urlencode([*(("name", name) for name in names), ("dry_run", str(dry_run))])
        async with (
            aiohttp.ClientSession(headers={"X-Caller": caller}) as session,
            session.post(f"{self.daemon.api}/v1/accept?{query}") as response,
        ):
            accepted = (await response.json())["accepted"]
        return [vhost for held in accepted for vhost in held["vhosts"]]

    async def request_reload(self) -> None:
        """`POST /v1/reload`: an operator requests a new configuration."""
        assert await self._post("/v1/reload") == 202

    async def _post(self, path: str) -> int:
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.daemon.api}{path}") as response,
        ):
            return response.status

    async def reports(
        self, path: str, true: Callable[[Mapping[str, Any]], object], seconds: float = 20
    ) -> Mapping[str, Any]:
        """Wait until what the API reports at `path` satisfies `true`. Return it."""
        report: Mapping[str, Any] = {}

        async def satisfied() -> bool:
            nonlocal report
            status, report = await self.daemon.get(path)
            return status != 0 and bool(true(report))

        await until(satisfied, seconds, lambda: f"{path}: {_shown(report)}\n{self.daemon.tail()}")
        return report

    async def says(self, *texts: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until `/v1/health` contains all of `texts`. Return it."""
        last: dict[str, Any] = {}

        async def said() -> bool:
            nonlocal last
            last = await self.health()
            shown = json.dumps(last, ensure_ascii=False)
            return all(text in shown for text in texts)

        await until(
            said,
            seconds,
            lambda: f"health never says {texts}: {_shown(last)}\n{self.daemon.tail()}",
        )
        return last

    async def healthy(self, seconds: float = 90) -> None:
        """Wait until `/v1/health` reports 200, and no fault of a single vhost either."""
        await self._becomes(True, seconds)

    async def unhealthy(self, seconds: float = 60) -> dict[str, Any]:
        """Wait until `/v1/health` reports 500, or a fault of some vhosts. Return it."""
        await self._becomes(False, seconds)
        return await self.health()

    async def serves(self, *apps: str, seconds: float = 60) -> None:
        """Wait until exactly the instances that the cluster lists respond to clients."""
        for app in apps or tuple(name for name in APPS if name in self.app_names()):
            listed = partial(self._listed, app)
            await within(
                self.clients.right(self.vhost(app), listed, float("inf")),
                seconds,
                lambda name=app: f"{name} is not served as listed\n{self.daemon.tail()}",  # type: ignore[misc]
            )

    async def vhost_is(self, vhost: str, status: int) -> None:
        """Wait until clients of `vhost` get this status."""

        async def so() -> bool:
            return (await get(self.proxy.port, vhost))[0] == status

        await until(so, describe=lambda: f"{vhost} never responds {status}")

    def app_names(self) -> list[str]:
        return [app.name for app in self.cluster.cluster.apps.values()]

    def vhost(self, app: str) -> str:
        return f"{app}.test"

    @asynccontextmanager
    async def traffic(
        self, *vhosts: str, clients: int = 4, strict: bool = True, repeat: bool = False
    ) -> AsyncIterator[Tally]:
        """Send traffic during the block. With `strict`, not a single request may fail; `repeat` is
        that of `Traffic`."""
        names = list(vhosts) or [self.vhost(app) for app in APPS]
        load = Traffic(
            self.proxy.port,
            names,
            clients=clients,
            pause=_BETWEEN_REQUESTS_SECONDS,
            repeat=repeat,
        )
        async with load.running() as tally:
            await load.answered(20)
            yield tally
            await load.answered(20)
        failed = f"{len(tally.failures)} of {tally.requests} failed: {tally.failures[:5]}"
        assert not strict or tally.failures == [], f"{failed}\n{self.daemon.tail()}"

    async def valid(self) -> None:
        """Assert that the proxy itself accepts the configuration file on disk."""
        check = (
            ("-c", "-f", str(self.proxy.config))
            if self.proxy.kind == "haproxy"
            else ("-p", str(self.directory), "-t", "-c", str(self.proxy.config))
        )
        process = await asyncio.create_subprocess_exec(
            str(self.proxy.program),
            *check,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    def _listed(self, app: str) -> ExpectedResponses:
        hosts = self.cluster.app(app).hosts()
        return ExpectedResponses(instances=frozenset(instance.instance_id for instance in hosts))

    async def _becomes(self, well: bool, seconds: float) -> None:
        wanted = "good" if well else "bad"
        last: dict[str, Any] = {}

        async def became() -> bool:
            nonlocal last
            last = await self.health()
            return _is_well(last) == well

        await until(
            became,
            seconds,
            lambda: f"health is never {wanted}: {_shown(last)}\n{self.daemon.tail()}",
        )


def _is_well(health: Mapping[str, Any]) -> bool:
    sections = ("Config", "Template", "UpstreamUpdatesViaAPI", "ResolverHealth")
    return health["status"] == 200 and all(health[name]["Healthy"] for name in sections)


def _shown(report: Mapping[str, Any]) -> str:
    return json.dumps(report, indent=1)


def has_runtime_api(proxy: LocalProxy) -> bool:
    """Return whether the gateway can change servers without a reload."""
    return _RUNTIME_API in proxy.settings


def without_runtime_api(proxy: LocalProxy) -> LocalProxy:
    """Return the same proxy, to be driven by reloads only."""
    left = {name: value for name, value in proxy.settings.items() if name != _RUNTIME_API}
    return msgspec.structs.replace(proxy, settings=left)


@asynccontextmanager
async def running_bench(
    kind: str, directory: Path, *, prepare: Callable[[Bench], object] = Bench.configure
) -> AsyncIterator[Bench]:
    """A cluster with the apps web and api, a proxy of `KINDS` that serves them, and the daemon.

    `prepare` writes the configuration; the daemon has applied it when the block begins.
    """
    # Long enough for a reload on a busy machine: instances that are stopped serve that long.
    options = Options(vhost="{name}.test", wait_before_kill=1.5, control_port=None)
    name = kind.partition("-")[0]
    ports = {"port": free_port(), "proof": free_port()}
    async with (
        Simulator(options) as cluster,
        running_proxy(name, find_program(name, None), directory, **ports) as proxy,
        aiohttp.ClientSession() as session,
    ):
        for app, instances in APPS.items():
            await cluster.deploy(app, instances=instances)
        driven = without_runtime_api(proxy) if kind == "haproxy-by-reload" else proxy
        bench = Bench(cluster, driven, directory, Clients(session, proxy.port))
        prepare(bench)
        await bench.daemon.start()
        try:
            await bench.healthy()
            await bench.serves()
            yield bench
        finally:
            await bench.daemon.kill()
