"""A simulated cluster as a child process, and commands to it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

from drove_gateway.demo.processes import free_ports, running

_START_SECONDS = 120.0
# Where instances are, listening or not: ten addresses of the loopback network.
EXECUTORS = tuple(f"127.0.1.{number}" for number in range(1, 11))


class Change(msgspec.Struct, frozen=True):
    """A change that controllers list since `visible_at` (monotonic seconds): instance ids."""

    visible_at: float
    app_id: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Exchange(msgspec.Struct, frozen=True):
    """A request to a controller: when it came, when its response was ready, the bytes of that."""

    controller: int
    path: str
    begun: float
    answered: float
    bytes: int


class Cluster:
    """The controllers of the cluster, and its control API (docs/simulator.md)."""

    def __init__(self, urls: Sequence[str], control: str, session: aiohttp.ClientSession) -> None:
        self.urls = tuple(urls)
        self.pid = 0
        self._control = control
        self._session = session

    async def ask(self, command: str, **arguments: object) -> Any:
        """Send a command. Raises SystemExit with the simulator's message when it is refused."""
        async with self._session.post(f"{self._control}/{command}", json=arguments) as response:
            result = await response.json()
            if response.status != 200:
                raise SystemExit(f"the simulator refuses {command}: {result}")
            return result

    async def change(self, command: str, **arguments: object) -> Change:
        """Send a command that changes what controllers list."""
        return msgspec.convert(await self.ask(command, **arguments), Change)

    async def exchanges(self, since: float) -> list[Exchange]:
        """Return the requests to the controllers since then, the earliest first."""
        reply = await self.ask("exchanges", since=since)
        return msgspec.convert(reply["result"], list[Exchange])


@asynccontextmanager
async def cluster(
    directory: Path, *, apps: int, instances: int, controllers: int = 1, **options: object
) -> AsyncIterator[Cluster]:
    """Run a cluster with this many apps, whose instances are addresses only.

    `options` are further options of `drove-gateway simulate`.
    """
    port = free_ports(controllers + 1)
    command = [
        *(sys.executable, "-m", "drove_gateway", "simulate", "--addresses"),
        *("--port", str(port), "--control-port", str(port + controllers)),
        *("--controllers", str(controllers), "--apps", str(apps), "--instances", str(instances)),
        *(word for host in EXECUTORS for word in ("--executor", host)),
        *(
            word
            for name, value in options.items()
            for word in (f"--{name.replace('_', '-')}", str(value))
        ),
    ]
    urls = [f"http://127.0.0.1:{port + number}" for number in range(controllers)]
    control = f"http://127.0.0.1:{port + controllers}"
    log = directory / "cluster.log"
    async with running(command, log) as process, aiohttp.ClientSession() as session:
        await _started(process, session, control, log)
        made = Cluster(urls, control, session)
        made.pid = process.pid
        yield made


async def _started(
    process: asyncio.subprocess.Process, session: aiohttp.ClientSession, control: str, log: Path
) -> None:
    deadline = asyncio.get_running_loop().time() + _START_SECONDS
    while asyncio.get_running_loop().time() < deadline and process.returncode is None:
        try:
            async with session.get(f"{control}/") as response:
                await response.read()
                return
        except aiohttp.ClientError:
            await asyncio.sleep(0.05)
    output = await asyncio.to_thread(log.read_text)
    raise SystemExit(f"the cluster does not start:\n{output}")
