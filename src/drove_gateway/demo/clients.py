"""Clients of the proxy: they ask for vhosts, and note who answers and what fails."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import msgspec

_PAUSE_SECONDS = 0.02
_ANSWER_SECONDS = 5.0
_ANSWERS_BY_EACH = 4


class Answer(msgspec.Struct, frozen=True):
    """What came back: the status, and which instance of the simulated cluster answered."""

    status: int
    instance: str = ""


class Wanted(msgspec.Struct, frozen=True):
    """What right answers are: one of the statuses, by the instances, all of them."""

    statuses: frozenset[int] = frozenset({200})
    instances: frozenset[str] = frozenset()


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

    async def right(self, vhost: str, wanted: Callable[[], Wanted], seconds: float) -> float | None:
        """Milliseconds until the proxy's answers are right, None if not within `seconds`.

        They are right from the moment when every wanted instance has answered and nothing else
        did any more, which is known when that stays so for several answers by each.
        """
        begin = time.monotonic()
        right_since, in_a_row, seen = begin, 0, set[str]()
        while time.monotonic() - begin < seconds:
            want = wanted()
            answer = await self.ask(vhost)
            now = time.monotonic()
            if answer.status not in want.statuses or answer.instance not in want.instances | {""}:
                right_since, in_a_row = now, 0
                seen.clear()
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if answer.instance not in seen:
                right_since = now
                seen.add(answer.instance)
            in_a_row += 1
            enough = _ANSWERS_BY_EACH * max(1, len(want.instances))
            if in_a_row >= enough and want.instances <= seen:
                return (right_since - begin) * 1000
        return None


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


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Whether `condition` held within `seconds`."""
    begin = time.monotonic()
    while not await condition():
        if time.monotonic() - begin > seconds:
            return False
        await asyncio.sleep(_PAUSE_SECONDS)
    return True
