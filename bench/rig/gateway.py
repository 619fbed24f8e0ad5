"""A gateway as a child process: ours, or any other that reads the same `nixy.toml`."""

import shlex
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from bench.rig.cluster import Cluster

from drove_gateway.demo.daemon import nixy_toml
from drove_gateway.demo.processes import free_ports, running
from drove_gateway.proxies.local import LocalProxy
from drove_gateway.templates import shipped

OURS = f"{sys.executable} -m drove_gateway -f {{config}}"
_TASKS = "drove_gateway_tasks "
_PLAIN = Path(__file__).parent / "templates"


class Kind(msgspec.Struct, frozen=True):
    """A gateway to measure: its name in tables, its command, and its template.

    `template` is "shipped", "plain" (only what the original knows), or a file's path.
    """

    name: str
    command: str
    template: str

    @property
    def ours(self) -> bool:
        """Whether it reports its history."""
        return self.command == OURS


def kinds(commands: Sequence[str], template: str) -> list[Kind]:
    """Return the gateways of `--gateway`, all with the same template; without any, ours.

    "ours" stands for this package's. When another gateway takes part, the plain template is the
    default, because every gateway can render it.
    """
    given = [OURS if command == "ours" else command for command in commands or ["ours"]]
    chosen = template or ("shipped" if given == [OURS] else "plain")
    return [
        Kind("ours" if command == OURS else Path(shlex.split(command)[0]).name, command, chosen)
        for command in given
    ]


class Record(msgspec.Struct, frozen=True):
    """An apply of the gateway. Times are in seconds of the monotonic clock."""

    begun: float
    ended: float
    reload: bool


class Gateway:
    """A running gateway."""

    def __init__(
        self, kind: Kind, pid: int, log: Path, api: str, session: aiohttp.ClientSession
    ) -> None:
        self.kind = kind
        self.pid = pid
        self.log = log
        self._api = api
        self._session = session

    async def status(self) -> Mapping[str, Any]:
        """Return `/v1/status`. Only our gateway has it."""
        async with self._session.get(f"{self._api}/v1/status") as response:
            status: Mapping[str, Any] = await response.json()
            return status

    async def tasks(self) -> int:
        """Return the number of its tasks. Only our gateway reports it."""
        async with self._session.get(f"{self._api}/v1/metrics") as response:
            lines = (await response.text()).splitlines()
        return next(int(float(line.split()[1])) for line in lines if line.startswith(_TASKS))

    async def history(self) -> list[Record]:
        """Return its applies, the earliest first; none for a foreign gateway."""
        if not self.kind.ours:
            return []
        behind = time.time() - time.monotonic()
        return [
            Record(
                datetime.fromisoformat(record["at"]).timestamp() - behind,
                datetime.fromisoformat(record["at"]).timestamp() - behind + record["seconds"],
                bool(record["reload_reasons"]),
            )
            for record in reversed((await self.status())["history"])
        ]


@asynccontextmanager
async def gateway(
    kind: Kind,
    cluster: Cluster,
    proxy: LocalProxy,
    directory: Path,
    settings: Mapping[str, object],
) -> AsyncIterator[Gateway]:
    """Run a gateway between a cluster and a proxy. `settings` are further keys of `nixy.toml`."""
    port = free_ports()
    config, log = directory / "nixy.toml", directory / "gateway.log"
    proxy.template.write_text(_template(kind, proxy))
    everything = {
        # As text: that is how the original's configuration has it.
        "port": str(port),
        "xproxy": "bench",
        **settings,
        **proxy.settings,
        "state_persistence_dir": f"{directory}/state",
    }
    config.write_text(nixy_toml(everything, namespace="bench", urls=cluster.urls))
    command = [word.replace("{config}", str(config)) for word in shlex.split(kind.command)]
    async with running(command, log, proxy.environ) as process, aiohttp.ClientSession() as session:
        yield Gateway(kind, process.pid, log, f"http://127.0.0.1:{port}", session)


def _template(kind: Kind, proxy: LocalProxy) -> str:
    if kind.template == "shipped":
        return shipped(proxy.kind)
    if kind.template == "plain":
        return (_PLAIN / f"{proxy.kind}.tmpl").read_text()
    return Path(kind.template).read_text()
