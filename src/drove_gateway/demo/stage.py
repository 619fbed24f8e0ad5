"""Puts everything on the stage: cluster, proxy, gateway and clients, in a directory of its own."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import msgspec

from drove_gateway.demo.clients import Clients, until
from drove_gateway.demo.proxy import (
    DemoError,
    Edge,
    free_port,
    running,
    stop,
)
from drove_gateway.simulator import Options, Simulator
from drove_gateway.templates import shipped

LEADER_VHOST = "drove.demo.local"
APPS = {"web": 3, "api": 3, "reports": 2}
_START_SECONDS = 30.0


class Stage(msgspec.Struct, frozen=True):
    """What plays: the cluster, the edge, the gateway's API, and clients of the edge."""

    cluster: Simulator
    edge: Edge
    api: str
    clients: Clients
    directory: Path

    def vhost(self, app: str) -> str:
        """Under which name an app is served."""
        return f"{app}.demo.local"


@asynccontextmanager
async def stage(kind: str, program: Path) -> AsyncIterator[Stage]:
    """Everything at work. Raises DemoError when a part does not start."""
    options = Options(vhost="{name}.demo.local", wait_before_kill=0.5, election=0.2)
    with tempfile.TemporaryDirectory(prefix="drove-demo-") as name:
        directory = Path(name)
        async with (
            Simulator(options) as cluster,
            running(kind, program, directory, port=free_port(8080), proof=free_port(6081)) as edge,
        ):
            for app, instances in APPS.items():
                await cluster.deploy(app, instances=instances)
            async with (
                _gateway(cluster, edge, directory) as api,
                aiohttp.ClientSession() as session,
            ):
                yield Stage(cluster, edge, api, Clients(session, edge.port), directory)


@asynccontextmanager
async def _gateway(cluster: Simulator, edge: Edge, directory: Path) -> AsyncIterator[str]:
    port = free_port(6000)
    (directory / f"{edge.kind}.tmpl").write_text(shipped(edge.kind))
    config = directory / "nixy.toml"
    urls = ", ".join(f'"{url}"' for url in cluster.urls)
    config.write_text(
        f'port = {port}\nxproxy = "demo"\nping_interval_sec = 0.5\nreload_min_interval_sec = 0.2\n'
        f"event_refresh_interval_sec = 0.25\n{edge.settings}\n"
        f'state_persistence_dir = "{directory}/state"\n'
        f'[[namespaces]]\nname = "demo"\ndrove = [{urls}]\nleader_vhost = "{LEADER_VHOST}"\n'
    )
    with (directory / "gateway.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *_program(),
            "-f",
            str(config),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **edge.environ},
        )
    try:
        await _started(process, f"http://127.0.0.1:{port}", directory)
        yield f"http://127.0.0.1:{port}"
    finally:
        await stop(process)


def _program() -> tuple[str, ...]:
    """This very program, as a command."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    return (sys.executable, "-m", "drove_gateway")


async def _started(process: asyncio.subprocess.Process, api: str, directory: Path) -> None:
    """Wait until the gateway is healthy, which it is when it has applied once."""

    async def over() -> bool:
        return process.returncode is not None or await _healthy(session, api)

    limit = aiohttp.ClientTimeout(total=1.0)
    async with aiohttp.ClientSession(timeout=limit) as session:
        await until(over, _START_SECONDS)
        if process.returncode is None and await _healthy(session, api):
            return
    log = (directory / "gateway.log").read_text()
    raise DemoError(f"the gateway does not become healthy:\n{log}")


async def _healthy(session: aiohttp.ClientSession, api: str) -> bool:
    try:
        async with session.get(f"{api}/v1/health") as response:
            return response.status == 200
    except (aiohttp.ClientError, TimeoutError, OSError):
        return False
