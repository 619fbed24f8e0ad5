"""A controller over HTTP. Every error of the HTTP client is translated here."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import quote

import aiohttp

from drove_gateway.drove import wire
from drove_gateway.drove.connection_errors import is_refused, reason_of
from drove_gateway.drove.events import EVENTS_PER_PAGE, EventsPage, events_page
from drove_gateway.drove.excerpt import excerpt
from drove_gateway.drove.leader import Ping, Standing, leader_of
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing
from drove_gateway.drove.response_body import ensure_memory, read_body, read_start
from drove_gateway.drove.scope import query
from drove_gateway.drove.session import Credentials
from drove_gateway.drove.specification import AppSpecification, specification
from drove_gateway.model.errors import BadResponse, ControllerDown, ControllerRefused, DroveError

T = TypeVar("T")

PING = "/apis/v1/ping"
EVENTS = "/apis/v1/cluster/events/latest"
ENDPOINTS = "/apis/v1/endpoints"
SPECIFICATION = "/apis/v1/applications/{}/spec"

# The longest bodies that are read. 100,000 hosts take about 6 to 12 MB; an event about 400 bytes.
_PING_BYTES = 64 * 1024
_EVENTS_BYTES = 8 * 1024 * 1024
_SPECIFICATION_BYTES = 1024 * 1024
_ENDPOINTS_BYTES = 32 * 1024 * 1024

# Longer bodies are decoded in a thread, and the event loop stays responsive.
_ASIDE_BYTES = 64 * 1024
# What decoding needs, by the length of the body: with small apps, four times as much is measured.
_DECODED_TIMES = 6

_CONNECT_SECONDS = 3.0

_HINTS = {
    401: "check the namespace's `user` and `pass`, or `access_token`",
    403: "the user has no permission to read; check the namespace's `user`, or `access_token`",
    404: "check that the URL is that of a Drove controller",
}


DENIED = frozenset({401, 403})
"""The statuses of a response to wrong credentials."""


class Controller:
    """Asks one controller. Time limits are in seconds, for a whole call.

    Every error's message names namespace, controller and route, never the credentials.
    """

    def __init__(
        self,
        url: str,
        *,
        namespace: str,
        session: aiohttp.ClientSession,
        credentials: Credentials,
        api_timeout: float,
        ping_timeout: float,
    ) -> None:
        self.url = url
        self._base = leader_of(url).endpoint.rstrip("/")
        self._namespace = namespace
        self._session = session
        self._hide = credentials.hide
        self._api_timeout = api_timeout
        self._ping_timeout = ping_timeout

    async def ping(self) -> Ping:
        """Ask whether the controller leads. Raises nothing but cancellation."""
        try:
            await self._get(
                PING,
                lambda body, _: wire.success(body, self._hide),
                most=_PING_BYTES,
                seconds=self._ping_timeout,
            )
        except ControllerRefused as error:
            standing = Standing.STANDS_BY if error.status == 400 else Standing.UNWELL
            return Ping(standing, self._short(error), denied=error.status in DENIED)
        except ControllerDown as error:
            standing = Standing.ABSENT if is_refused(error.__cause__) else Standing.UNWELL
            return Ping(standing, self._short(error), answered=False)
        except BadResponse as error:
            return Ping(Standing.UNWELL, self._short(error))
        return Ping(Standing.LEADS)

    async def events(self, last_sync: int) -> EventsPage:
        """Fetch what happened since `last_sync`: 0, or the time of an earlier response.

        Raises ControllerDown, ControllerRefused or BadResponse.
        """
        return await self._get(
            f"{EVENTS}?lastSyncTime={last_sync}&size={EVENTS_PER_PAGE}",
            lambda body, clock: events_page(
                body, requested=last_sync, clock=clock, hide=self._hide
            ),
            most=_EVENTS_BYTES,
            seconds=self._api_timeout,
        )

    async def endpoints(self, decoder: EndpointsDecoder) -> EndpointsListing:
        """Fetch all apps, and where their healthy instances listen.

        Raises ControllerDown, ControllerRefused or BadResponse.
        """
        reading = await self._get(
            ENDPOINTS,
            lambda body, _: decoder.read(body, self._hide),
            most=_ENDPOINTS_BYTES,
            seconds=self._api_timeout,
        )
        return decoder.keep(reading)

    async def endpoints_of(
        self, names: frozenset[str], decoder: EndpointsDecoder
    ) -> tuple[EndpointsListing | None, bool]:
        """Fetch the apps of `names`, and merge them into what `decoder` read last.

        Returns no listing where that is not possible, and whether the controller ignores `names`.
        Raises ControllerDown, ControllerRefused or BadResponse.
        """
        merge = await self._get(
            f"{ENDPOINTS}?{query(names)}",
            lambda body, _: decoder.merge(body, names, self._hide),
            most=_ENDPOINTS_BYTES,
            seconds=self._api_timeout,
        )
        if merge.reading is None:
            return None, merge.ignored
        return decoder.keep(merge.reading), merge.ignored

    async def specification(self, app_id: str) -> AppSpecification:
        """Fetch how an app is stopped and exposed.

        Raises ControllerDown, ControllerRefused or BadResponse.
        """
        return await self._get(
            SPECIFICATION.format(quote(app_id, safe="")),
            lambda body, _: specification(body, self._hide),
            most=_SPECIFICATION_BYTES,
            seconds=self._api_timeout,
        )

    async def clock(self) -> datetime | None:
        """Return the controller's time, whether it leads or not; None if it does not say.

        Raises ControllerDown or BadResponse.
        """
        limits = aiohttp.ClientTimeout(total=self._ping_timeout)
        try:
            async with self._session.get(
                self._base + PING, timeout=limits, allow_redirects=False
            ) as response:
                milliseconds = _clock(response.headers.get("Date", ""))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._translated(PING, error, self._ping_timeout) from error
        return None if milliseconds is None else datetime.fromtimestamp(milliseconds / 1000, UTC)

    async def _get(
        self,
        route: str,
        decode: Callable[[bytes, int | None], T],
        *,
        most: int,
        seconds: float,
    ) -> T:
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_SECONDS))
        try:
            # The session retries a GET once by itself when a kept connection turns out stale.
            async with self._session.get(
                self._base + route, timeout=limits, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise await self._refusal(route, response)
                clock = _clock(response.headers.get("Date", ""))
                body = await read_body(response, most)
            if len(body) <= _ASIDE_BYTES:
                return decode(body, clock)
            ensure_memory(len(body) * _DECODED_TIMES)
            return await asyncio.to_thread(decode, body, clock)
        except BadResponse as error:
            raise BadResponse(self._message(route, str(error))) from error
        except MemoryError as error:
            what = "there is not enough memory for the response; it was rejected"
            raise BadResponse(self._message(route, what)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._translated(route, error, seconds) from error

    async def _refusal(self, route: str, response: aiohttp.ClientResponse) -> ControllerRefused:
        reason = excerpt(response.reason or "", 40, self._hide)
        status = f"{response.status} {reason}".rstrip()
        hint = _HINTS.get(response.status, "")
        if 300 <= response.status < 400:
            hint = "redirects are not followed; configure the controller's own URL"
        complaint = wire.complaint(await read_start(response), self._hide)
        what = status + (complaint and f": {complaint}") + (hint and f" ({hint})")
        return ControllerRefused(self._message(route, what), response.status)

    def _translated(self, route: str, error: Exception, seconds: float) -> DroveError:
        match error:
            case aiohttp.ConnectionTimeoutError():
                what = f"no connection within {min(seconds, _CONNECT_SECONDS):g} s"
            case TimeoutError():
                what = f"no response within {seconds:g} s"
            case aiohttp.ClientResponseError():
                what = f"not HTTP: {excerpt(error.message, hide=self._hide)}"
                return BadResponse(self._message(route, what))
            case _:
                what = reason_of(error, self._hide)
        return ControllerDown(self._message(route, what))

    def _message(self, route: str, what: str) -> str:
        return self._prefix(route) + what

    def _prefix(self, route: str) -> str:
        path = route.partition("?")[0]
        return f"namespace {self._namespace}: controller {self._base}: GET {path}: "

    def _short(self, error: DroveError) -> str:
        return str(error).removeprefix(self._prefix(PING))


def _clock(date: str) -> int | None:
    """Return the controller's own time of a response, in epoch milliseconds."""
    try:
        return int(parsedate_to_datetime(date).timestamp() * 1000)
    except (ValueError, OverflowError, TypeError):
        return None
