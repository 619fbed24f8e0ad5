"""Clients of the proxy: they ask for vhosts, and note who answers and what fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import msgspec

_PAUSE_SECONDS = 0.02
_ANSWER_SECONDS = 5.0


class Answer(msgspec.Struct, frozen=True):
    """What came back: the status, and which instance of the simulated cluster answered."""

    status: int
    instance: str = ""


class Clients:
    """Asks the proxy at `port` over keep-alive connections, as its users do."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{port}/"

    async def ask(self, vhost: str) -> Answer:
        """One request. A connection that fails is status 0."""
        limit = aiohttp.ClientTimeout(total=_ANSWER_SECONDS)
        try:
            async with self._session.get(
                self._url, headers={"Host": vhost}, timeout=limit
            ) as response:
                await response.read()
                return Answer(response.status, response.headers.get("X-Instance-Id", ""))
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Answer(0)

    async def answering(self, vhost: str, rounds: int) -> tuple[frozenset[str], frozenset[int]]:
        """Which instances, and which statuses, answer `rounds` requests one after the other."""
        answers = [await self.ask(vhost) for _ in range(rounds)]
        instances = frozenset(answer.instance for answer in answers if answer.status == 200)
        return instances, frozenset(answer.status for answer in answers)


class Load:
    """Constant traffic on every vhost that is served for good; counts what fails."""

    def __init__(self, clients: Clients, vhosts: Sequence[str]) -> None:
        self._clients = clients
        self._vhosts = vhosts
        self.requests = 0
        self.failed = 0

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            for vhost in self._vhosts:
                answer = await self._clients.ask(vhost)
                self.requests += 1
                self.failed += answer.status != 200
            await asyncio.sleep(_PAUSE_SECONDS)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> float | None:
    """Milliseconds until `condition` held, None when it did not within `seconds`.

    The time of the try that succeeded is not counted.
    """
    begin = time.monotonic()
    while True:
        tried = time.monotonic()
        if await condition():
            return (tried - begin) * 1000
        if tried - begin > seconds:
            return None
        await asyncio.sleep(_PAUSE_SECONDS)
