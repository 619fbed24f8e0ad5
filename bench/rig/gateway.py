"""A gateway in a process of its own: ours, or any other that reads the same `nixy.toml`."""

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
from bench.rig.edge import Edge
from bench.rig.process import free_ports, running

from drove_gateway.templates import shipped

OURS = f"{sys.executable} -m drove_gateway -f {{config}}"
_TASKS = "drove_gateway_tasks "
_PLAIN = Path(__file__).parent / "templates"


class Kind(msgspec.Struct, frozen=True):
    """A gateway to be measured: a name for tables, its command, and the template that it gets.

    `template` is "shipped", "plain" (only what the original knows), or a file's path.
    """

    name: str
    command: str
    template: str

    @property
    def ours(self) -> bool:
        """Whether it tells its history."""
        return self.command == OURS


def kinds(commands: Sequence[str], template: str) -> list[Kind]:
    """The gateways of `--gateway`, all with the same template; without any, ours.

    "ours" stands for this package's. Where another one takes part, the plain template is the
    default, so that all have the same.
    """
    given = [OURS if command == "ours" else command for command in commands or ["ours"]]
    chosen = template or ("shipped" if given == [OURS] else "plain")
    return [
        Kind("ours" if one == OURS else Path(shlex.split(one)[0]).name, one, chosen)
        for one in given
    ]


class Record(msgspec.Struct, frozen=True):
    """One time that the gateway went to the proxy, on the monotonic clock."""

    begun: float
    ended: float
    reload: bool


class Gateway:
    """A gateway at work."""

    def __init__(
        self, kind: Kind, pid: int, log: Path, api: str, session: aiohttp.ClientSession
    ) -> None:
        self.kind = kind
        self.pid = pid
        self.log = log
        self._api = api
        self._session = session

    async def status(self) -> Mapping[str, Any]:
        """`/v1/status`; only ours has it."""
        async with self._session.get(f"{self._api}/v1/status") as answer:
            told: Mapping[str, Any] = await answer.json()
            return told

    async def tasks(self) -> int:
        """How many tasks it has; only ours tells."""
        async with self._session.get(f"{self._api}/v1/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return next(int(float(line.split()[1])) for line in lines if line.startswith(_TASKS))

    async def history(self) -> list[Record]:
        """What it did to the proxy, the earliest first; nothing for a foreign gateway."""
        if not self.kind.ours:
            return []
        behind = time.time() - time.monotonic()
        return [
            Record(
                datetime.fromisoformat(one["at"]).timestamp() - behind,
                datetime.fromisoformat(one["at"]).timestamp() - behind + one["seconds"],
                bool(one["reload_reasons"]),
            )
            for one in reversed((await self.status())["history"])
        ]


@asynccontextmanager
async def gateway(
    kind: Kind, cluster: Cluster, edge: Edge, directory: Path, settings: Mapping[str, object]
) -> AsyncIterator[Gateway]:
    """A gateway between a cluster and a proxy; `settings` are further keys of `nixy.toml`."""
    port = free_ports()
    config, log = directory / "nixy.toml", directory / "gateway.log"
    urls = ", ".join(f'"{url}"' for url in cluster.urls)
    more = "\n".join(f"{name} = {value}" for name, value in settings.items())
    edge.template_file.write_text(_template(kind, edge))
    config.write_text(
        f'port = "{port}"\nxproxy = "bench"\n{more}\n{edge.settings}\n'
        f'state_persistence_dir = "{directory}/state"\n'
        f'[[namespaces]]\nname = "bench"\ndrove = [{urls}]\n'
    )
    command = [word.replace("{config}", str(config)) for word in shlex.split(kind.command)]
    async with running(command, log, edge.environ) as process, aiohttp.ClientSession() as session:
        yield Gateway(kind, process.pid, log, f"http://127.0.0.1:{port}", session)


def _template(kind: Kind, edge: Edge) -> str:
    if kind.template == "shipped":
        return shipped(edge.template)
    if kind.template == "plain":
        return (_PLAIN / f"{edge.template}.tmpl").read_text()
    return Path(kind.template).read_text()
