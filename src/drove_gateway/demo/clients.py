"""Clients of the proxy: they send requests to vhosts and note which instance responds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import msgspec

_PAUSE_SECONDS = 0.02
_RESPONSE_SECONDS = 5.0
_RESPONSES_FROM_EACH = 4


class Response(msgspec.Struct, frozen=True):
    """The status of a response, and the instance of the simulated cluster that sent it."""

    status: int
    instance: str = ""


class ExpectedResponses(msgspec.Struct, frozen=True):
    """Responses with one of the statuses, from all of the instances and no others."""

    statuses: frozenset[int] = frozenset({200})
    instances: frozenset[str] = frozenset()

    def includes(self, response: Response) -> bool:
        """Whether a response is expected."""
        return response.status in self.statuses and response.instance in self.instances | {""}


class Clients:
    """Sends requests to the proxy at `port` over keep-alive connections."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{port}/"

    async def ask(self, vhost: str) -> Response:
        """Send a request. A connection that fails is status 0."""
        limit = aiohttp.ClientTimeout(total=_RESPONSE_SECONDS)
        try:
            async with self._session.get(
                self._url, headers={"Host": vhost}, timeout=limit
            ) as response:
                await response.read()
                return Response(response.status, response.headers.get("X-Instance-Id", ""))
        except (aiohttp.ClientError, TimeoutError, OSError):
            return Response(0)

    async def right(
        self, vhost: str, wanted: Callable[[], ExpectedResponses], seconds: float
    ) -> float | None:
        """Return the milliseconds until responses are as `wanted`; None if not within `seconds`.

        They are so from the moment when every expected instance has responded and no other does,
        which is certain after several responses from each.
        """
        begin = time.monotonic()
        right_since, in_a_row, seen = begin, 0, set[str]()
        while time.monotonic() - begin < seconds:
            want = wanted()
            response = await self.ask(vhost)
            now = time.monotonic()
            if not want.includes(response):
                right_since, in_a_row = now, 0
                seen.clear()
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if response.instance not in seen:
                right_since = now
                seen.add(response.instance)
            in_a_row += 1
            enough = _RESPONSES_FROM_EACH * max(1, len(want.instances))
            if in_a_row >= enough and want.instances <= seen:
                return (right_since - begin) * 1000
        return None


class Load:
    """Constant requests to vhosts that stay served. Counts failures."""

    def __init__(self, clients: Clients, vhosts: Sequence[str]) -> None:
        self._clients = clients
        self._vhosts = vhosts
        self.requests = 0
        self.failed = 0

    async def run(self) -> None:
        """Send requests until cancelled."""
        while True:
            for vhost in self._vhosts:
                response = await self._clients.ask(vhost)
                self.requests += 1
                self.failed += response.status != 200
            await asyncio.sleep(_PAUSE_SECONDS)


async def until(condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
    """Return whether `condition` became true within `seconds`."""
    begin = time.monotonic()
    while not await condition():
        if time.monotonic() - begin > seconds:
            return False
        await asyncio.sleep(_PAUSE_SECONDS)
    return True
