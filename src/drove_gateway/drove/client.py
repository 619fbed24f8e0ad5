"""A controller over HTTP. Every error of the HTTP client is translated here."""

from collections.abc import Callable
from typing import TypeVar

import aiohttp

from drove_gateway.drove import wire
from drove_gateway.drove.excerpt import excerpt
from drove_gateway.drove.leader import Ping, Standing, leader_of
from drove_gateway.drove.response_body import read_body, read_start
from drove_gateway.drove.session import Credentials
from drove_gateway.drove.wire import EndpointsDecoder, EndpointsListing, EventsSummary
from drove_gateway.model.errors import BadResponse, ControllerDown, ControllerRefused, DroveError

T = TypeVar("T")

PING = "/apis/v1/ping"
EVENTS_SUMMARY = "/apis/v1/cluster/events/summary"
ENDPOINTS = "/apis/v1/endpoints"

# The longest bodies that are read. 100,000 hosts take about 6 to 12 MB.
_PING_BYTES = 64 * 1024
_SUMMARY_BYTES = 1024 * 1024
_ENDPOINTS_BYTES = 32 * 1024 * 1024

_CONNECT_SECONDS = 3.0

_HINTS = {
    401: "check the namespace's `user` and `pass`, or `access_token`",
    403: "the user has no permission to read; check the namespace's `user`, or `access_token`",
    404: "check that the URL is that of a Drove controller",
}


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
        self._credentials = credentials
        self._api_timeout = api_timeout
        self._ping_timeout = ping_timeout

    async def ping(self) -> Ping:
        """Ask whether the controller leads. Raises nothing but cancellation."""
        try:
            await self._get(PING, wire.success, most=_PING_BYTES, seconds=self._ping_timeout)
        except ControllerRefused as error:
            standing = Standing.STANDS_BY if error.status == 400 else Standing.UNWELL
            return Ping(standing, self._short(error))
        except ControllerDown as error:
            standing = Standing.ABSENT if _refused(error.__cause__) else Standing.UNWELL
            return Ping(standing, self._short(error), answered=False)
        except BadResponse as error:
            return Ping(Standing.UNWELL, self._short(error))
        return Ping(Standing.LEADS)

    async def events_summary(self, last_sync_time: int) -> EventsSummary:
        """Fetch what happened since `last_sync_time`: 0, or the time of an earlier response.

        Raises ControllerDown, ControllerRefused or BadResponse.
        """
        return await self._get(
            f"{EVENTS_SUMMARY}?lastSyncTime={last_sync_time}",
            wire.events_summary,
            most=_SUMMARY_BYTES,
            seconds=self._api_timeout,
        )

    async def endpoints(self, decoder: EndpointsDecoder) -> EndpointsListing:
        """Fetch all apps, and where their healthy instances listen.

        Raises ControllerDown, ControllerRefused or BadResponse.
        """
        return await self._get(
            ENDPOINTS, decoder.decode, most=_ENDPOINTS_BYTES, seconds=self._api_timeout
        )

    async def _get(
        self, route: str, decode: Callable[[bytes], T], *, most: int, seconds: float
    ) -> T:
        limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT_SECONDS))
        try:
            # The session retries a GET once by itself when a kept connection turns out stale.
            async with self._session.get(
                self._base + route, timeout=limits, allow_redirects=False
            ) as response:
                if response.status != 200:
                    raise await self._refusal(route, response)
                body = await read_body(response, most)
            return decode(body)
        except BadResponse as error:
            raise BadResponse(self._message(route, str(error))) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise self._translated(route, error, seconds) from error

    async def _refusal(self, route: str, response: aiohttp.ClientResponse) -> ControllerRefused:
        status = f"{response.status} {excerpt(response.reason or '', 40)}".rstrip()
        hint = _HINTS.get(response.status, "")
        if 300 <= response.status < 400:
            hint = "redirects are not followed; configure the controller's own URL"
        text = self._credentials.hide((await read_start(response)).decode(errors="replace"))
        complaint = wire.complaint(text.encode())
        what = status + (complaint and f": {complaint}") + (hint and f" ({hint})")
        return ControllerRefused(self._message(route, what), response.status)

    def _translated(self, route: str, error: Exception, seconds: float) -> DroveError:
        match error:
            case aiohttp.ConnectionTimeoutError():
                what = f"no connection within {min(seconds, _CONNECT_SECONDS):g} s"
            case TimeoutError():
                what = f"no response within {seconds:g} s"
            case aiohttp.ClientConnectorCertificateError():
                what = f"its certificate is not trusted: {excerpt(str(error.certificate_error))}"
            case aiohttp.ClientConnectorError():
                what = f"cannot be reached: {excerpt(str(error.os_error))}"
            case aiohttp.ClientPayloadError():
                what = "the response was cut off"
            case aiohttp.ServerDisconnectedError():
                what = "the connection was closed before a response"
            case aiohttp.ClientResponseError():
                return BadResponse(self._message(route, f"not HTTP: {excerpt(error.message)}"))
            case _:
                what = f"failed: {excerpt(str(error) or type(error).__name__)}"
        return ControllerDown(self._message(route, what))

    def _message(self, route: str, what: str) -> str:
        return self._credentials.hide(self._prefix(route) + what)

    def _prefix(self, route: str) -> str:
        return f"namespace {self._namespace}: controller {self._base}: GET {route}: "

    def _short(self, error: DroveError) -> str:
        return str(error).removeprefix(self._prefix(PING))


def _refused(cause: BaseException | None) -> bool:
    return isinstance(cause, aiohttp.ClientConnectorError) and isinstance(
        cause.os_error, ConnectionRefusedError
    )
