"""A client that knows nothing of the simulator: plain HTTP and JSON."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from drove_gateway.simulator import Simulator


@dataclass(frozen=True)
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def data(self) -> Any:
        assert self.json["status"] == "SUCCESS", self.json
        return self.json["data"]


class Client:
    """Asks controllers (the leader unless numbered), instances, and the control API."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def url(self, url: str, *, method: str = "GET", **options: Any) -> Got:
        async with self._session.request(method, url, **options) as response:
            return Got(response.status, response.headers, await response.read())

    async def ask(
        self, sim: Simulator, path: str, *, controller: int | None = None, **options: Any
    ) -> Got:
        number = sim.leader or 0 if controller is None else controller
        return await self.url(f"{sim.urls[number]}/apis/v1/{path}", **options)

    async def hosts(self, sim: Simulator, app_id: str) -> list[tuple[str, int]]:
        """The hosts of an app as `/endpoints` lists them."""
        apps = (await self.ask(sim, "endpoints")).data
        [app] = [app for app in apps if app["appId"] == app_id]
        return [(host["host"], host["port"]) for host in app["hosts"]]

    async def listed(self, sim: Simulator) -> dict[str, int]:
        """The number of hosts of each listed app."""
        apps = (await self.ask(sim, "endpoints")).data
        return {app["appId"]: len(app["hosts"]) for app in apps}

    async def control(self, sim: Simulator, command: str, **arguments: Any) -> Got:
        return await self.url(f"{sim.control.url}/{command}", method="POST", json=arguments)


async def until(condition: Callable[[], object]) -> None:
    """Wait for a condition, for 10 seconds at most."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.001)
