"""A site to break: a simulated cluster, a real proxy under traffic, and the gateway's daemon."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from tests.traffic import Tally, Traffic, free_port
from tests.waiting import until

from drove_gateway.demo.clients import Clients, Wanted
from drove_gateway.demo.proxy import Edge, find_program, running, stop
from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped

APPS = ("web", "api")
LEADER_VHOST = "drove.test"

# Short, so that each fault is met and healed within moments.
_PACE = """
api_timeout = 2.0
ping_interval_sec = 0.3
event_refresh_interval_sec = 0.1
full_refresh_interval_sec = 0.5
reload_min_interval_sec = 0.1
command_timeout_sec = 2.0
audit_interval_sec = 1.0
guard_hold_sec = 3600.0
startup_controller_sync_tries = 2
startup_controller_sync_retry_delay_sec = 0.2
"""

# Constant traffic that still leaves the machine time for what is under test.
_BETWEEN_REQUESTS_SECONDS = 0.005


class Site:
    """Everything at work. `cluster` is what is true; the rest must follow it.

    The proxy's program is called through a script, which runs what `mischief` says beforehand.
    """

    def __init__(self, cluster: Simulator, edge: Edge, directory: Path, clients: Clients) -> None:
        self.cluster = cluster
        self.edge = edge
        self.directory = directory
        self.clients = clients
        self.config = directory / ("haproxy.cfg" if edge.kind == "haproxy" else "nginx.conf")
        self.template = directory / f"{edge.kind}.tmpl"
        self.api = f"http://127.0.0.1:{free_port()}"
        self.program: tuple[str, ...] = (sys.executable, "-m", "drove_gateway")
        self.daemon: asyncio.subprocess.Process | None = None
        self.log: list[str] = []
        self._mischief = directory / "mischief"
        self._wrapper = directory / "wrapper"
        self._reading: asyncio.Task[None] | None = None

    def configure(self, *, pace: str = _PACE, namespaces: str = "") -> Path:
        """Write nixy.toml; `namespaces` are further ones."""
        self._wrapper.write_text(
            f"#!/bin/sh\n[ -e {self._mischief} ] && . {self._mischief}\n"
            f'exec {self.edge.program} "$@"\n'
        )
        self._wrapper.chmod(0o755)
        self.template.write_text(shipped(self.edge.kind))
        settings = self.edge.settings.replace(f'"{self.edge.program}', f'"{self._wrapper}')
        urls = ", ".join(f'"{url}"' for url in self.cluster.urls)
        path = self.directory / "nixy.toml"
        path.write_text(
            f'port = {self.api.rpartition(":")[2]}\nxproxy = "site"\n{pace}\n{settings}\n'
            f'state_persistence_dir = "{self.directory}/state"\n'
            f'[[namespaces]]\nname = "main"\ndrove = [{urls}]\n'
            f'leader_vhost = "{LEADER_VHOST}"\n{namespaces}'
        )
        return path

    def mischief(self, script: str) -> None:
        """From now on, calls of the proxy's program first run this shell script; "" ends it."""
        if script:
            fresh = self._mischief.with_suffix(".new")
            fresh.write_text(script + "\n")
            fresh.replace(self._mischief)
        else:
            self._mischief.unlink(missing_ok=True)

    async def start(self, program: Sequence[str] = ()) -> None:
        """Start the daemon; its log is read as it comes."""
        self.daemon = await asyncio.create_subprocess_exec(
            *(program or self.program),
            "-f",
            str(self.directory / "nixy.toml"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, **self.edge.environ},
        )
        self._reading = asyncio.create_task(self._read(self.daemon.stdout))

    async def end(self) -> int:
        """Stop the daemon as systemd does; gives its exit code."""
        assert self.daemon is not None
        await stop(self.daemon)
        await self._read_to_the_end()
        return await self.daemon.wait()

    async def kill(self) -> None:
        """End the daemon by SIGKILL."""
        assert self.daemon is not None
        with contextlib.suppress(ProcessLookupError):
            self.daemon.kill()
        await self.daemon.wait()
        await self._read_to_the_end()

    async def died(self, seconds: float = 60) -> int:
        """Wait until the daemon is gone; gives its exit code."""
        assert self.daemon is not None
        async with asyncio.timeout(seconds):
            code = await self.daemon.wait()
        await self._read_to_the_end()
        return code

    def signal(self, number: signal.Signals) -> None:
        assert self.daemon is not None
        self.daemon.send_signal(number)

    @property
    def pid(self) -> int:
        assert self.daemon is not None
        return self.daemon.pid

    async def health(self) -> dict[str, Any]:
        """`/v1/health`, with its status under "status"; that is 0 while nobody answers."""
        limit = aiohttp.ClientTimeout(total=2)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit) as session,
                session.get(f"{self.api}/v1/health") as response,
            ):
                return {"status": response.status, **await response.json()}
        except (aiohttp.ClientError, TimeoutError, OSError):
            return {"status": 0}

    async def accept(self) -> None:
        """`POST /v1/accept`: what is held was meant."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.api}/v1/accept") as response,
        ):
            assert response.status == 200

    async def says(self, *texts: str, seconds: float = 60) -> dict[str, Any]:
        """Wait until health is told with all of `texts` in it."""
        last: dict[str, Any] = {}

        async def so() -> bool:
            nonlocal last
            last = await self.health()
            shown = json.dumps(last, ensure_ascii=False)
            return all(text in shown for text in texts)

        try:
            await until(so, seconds)
        except AssertionError as error:
            raise AssertionError(
                f"health never says {texts}, but {json.dumps(last, indent=1)}\n{self.tail()}"
            ) from error
        return last

    async def healthy(self, seconds: float = 90) -> None:
        """Wait until all is well."""
        await self._becomes(200, seconds)

    async def unhealthy(self, seconds: float = 60) -> dict[str, Any]:
        """Wait until something is not; gives what."""
        await self._becomes(500, seconds)
        return await self.health()

    async def serves(self, *apps: str, seconds: float = 60) -> None:
        """Wait until clients are answered by exactly the instances that the cluster lists."""
        for app in apps or tuple(one for one in APPS if one in self.app_names()):
            took = await self.clients.right(self.vhost(app), partial(self._wanted, app), seconds)
            assert took is not None, f"{app} is not served as listed\n{self.tail()}"

    def app_names(self) -> list[str]:
        return [app.name for app in self.cluster.cluster.apps.values()]

    def vhost(self, app: str) -> str:
        return f"{app}.test"

    @asynccontextmanager
    async def traffic(
        self, *vhosts: str, clients: int = 4, strict: bool = True
    ) -> AsyncIterator[Tally]:
        """Traffic in the block, of which, if `strict`, not one request may fail."""
        names = list(vhosts) or [self.vhost(app) for app in APPS]
        load = Traffic(self.edge.port, names, clients=clients, pause=_BETWEEN_REQUESTS_SECONDS)
        async with load.running() as tally:
            await load.answered(20)
            yield tally
            await load.answered(20)
        assert not strict or tally.failures == [], self.tail()

    async def valid(self) -> None:
        """The proxy itself finds nothing wrong with the file on disk."""
        check = (
            ("-c", "-f", str(self.config))
            if self.edge.kind == "haproxy"
            else ("-p", str(self.directory), "-t", "-c", str(self.config))
        )
        process = await asyncio.create_subprocess_exec(
            str(self.edge.program),
            *check,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, output.decode()

    def tail(self) -> str:
        """The end of the daemon's log."""
        return "".join(self.log[-25:])

    def _wanted(self, app: str) -> Wanted:
        return Wanted(instances=frozenset(one.instance_id for one in self.cluster.app(app).hosts()))

    async def _becomes(self, status: int, seconds: float) -> None:
        async def so() -> bool:
            return bool((await self.health())["status"] == status)

        try:
            await until(so, seconds)
        except AssertionError as error:
            shown = json.dumps(await self.health(), indent=1)
            raise AssertionError(
                f"health never becomes {status}: {shown}\n{self.tail()}"
            ) from error

    async def _read(self, stream: asyncio.StreamReader | None) -> None:
        while stream is not None and (line := await stream.readline()):
            self.log.append(line.decode(errors="replace"))

    async def _read_to_the_end(self) -> None:
        if self._reading is not None:
            await self._reading
            self._reading = None


@asynccontextmanager
async def site(
    kind: str,
    directory: Path,
    *,
    options: Options | None = None,
    apps: Sequence[str] = APPS,
    instances: int = 3,
    prepare: Callable[[Site], object] = Site.configure,
) -> AsyncIterator[Site]:
    """A site whose daemon has applied once."""
    options = options or Options(vhost="{name}.test", wait_before_kill=0.5, control_port=None)
    async with Simulator(options) as cluster:
        for app in apps:
            await cluster.deploy(app, instances=instances)
        async with (
            running(
                kind, find_program(kind, None), directory, port=free_port(), proof=free_port()
            ) as edge,
            aiohttp.ClientSession() as session,
        ):
            place = Site(cluster, edge, directory, Clients(session, edge.port))
            prepare(place)
            await place.start()
            try:
                await place.healthy()
                await place.serves(*apps)
                yield place
            finally:
                await place.kill()
