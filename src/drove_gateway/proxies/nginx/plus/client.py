"""NGINX Plus's HTTP API, call by call: versions, time limits, errors in words.

The Lua balancer of open-source NGINX offers the same API, and beside it calls of its own.

What the API refuses is `ApiRefused` with its own status, code and text; what it does not answer
at all is `ApiDown`; a call that was cut off, so that nobody knows whether it was carried out, is
`ApiCut`.
"""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
import msgspec

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import RuntimeApiError
from drove_gateway.proxies.nginx.plus.access import Access
from drove_gateway.proxies.nginx.plus.wire import (
    ErrorAnswer,
    ErrorDetail,
    Identity,
    Peer,
    Server,
    Upstream,
)
from drove_gateway.proxies.runtime.command_log import CommandLog
from drove_gateway.proxies.runtime.metrics import ApiMetrics

# `drain` came with version 2; nothing that is used here changed since.
_OLDEST_VERSION = 2
_NEWEST_VERSION = 9
# Enough for all that calls at once: an apply, an audit, a sweep, a look.
_MOST_CONNECTIONS = 16
# The status of one server is about 700 bytes: 100,000 servers are 70 MB.
_MOST_BYTES = 96 * 1024 * 1024
_MOST_TEXT = 300
_MOST_VERSIONS = 20
_NOT_READABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

Answer = TypeVar("Answer")


class ApiRefused(RuntimeApiError):
    """The API said no. `code` is the documentation's (UpstreamNotFound), empty if it gave none."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class ApiDown(RuntimeApiError):
    """The API cannot be reached, or does not answer in time."""


class ApiCut(RuntimeApiError):
    """The connection ended before the answer: the call may have been carried out or not."""


class Client:
    """Calls the API over kept connections; each call may take `timeout` seconds, and each answer
    may have `most_bytes`."""

    def __init__(
        self,
        access: Access,
        *,
        timeout: float,
        metrics: ApiMetrics,
        log: EventLog,
        most_bytes: int = _MOST_BYTES,
    ) -> None:
        self._most_bytes = most_bytes
        self._access = access
        self._timeout = timeout
        self._metrics = metrics
        self._log = CommandLog("NGINX", log)
        self._session: aiohttp.ClientSession | None = None
        self._calls: Counter[aiohttp.ClientSession] = Counter()
        self._version = 0

    @property
    def product(self) -> str:
        return self._access.product

    @property
    def url(self) -> str:
        return self._access.shown

    async def identity(self) -> Identity:
        """Which NGINX answers, and how often it loaded its configuration."""
        return await self._call("identity", "GET", "nginx", Identity)

    async def upstreams(self) -> Mapping[str, Upstream]:
        """The status of every upstream that has a `zone`, in one answer."""
        return await self._call("list_upstreams", "GET", "http/upstreams/", dict[str, Upstream])

    async def peers(self, upstream: str) -> Sequence[Peer]:
        """The status of one upstream's servers."""
        path = f"http/upstreams/{_quoted(upstream)}/"
        return (await self._call("get_upstream", "GET", path, Upstream)).peers

    async def servers(self, upstream: str) -> Sequence[Server]:
        """One upstream's servers with their parameters."""
        path = f"http/upstreams/{_quoted(upstream)}/servers/"
        return await self._call("check_if_upstream_exists", "GET", path, list[Server])

    async def add(self, upstream: str, server: str, fields: Mapping[str, int | str]) -> Server:
        """Add a server; gives it as it now stands."""
        path = f"http/upstreams/{_quoted(upstream)}/servers/"
        body = {"server": server, **fields}
        return await self._call("add_http_server", "POST", path, Server, body)

    async def change(
        self, upstream: str, server_id: int, fields: Mapping[str, int | str | bool]
    ) -> Server:
        """Change parameters of a server; gives it as it now stands."""
        path = f"http/upstreams/{_quoted(upstream)}/servers/{server_id}"
        return await self._call("update_http_servers", "PATCH", path, Server, fields)

    async def delete(self, upstream: str, server_id: int) -> Sequence[Server]:
        """Remove a server; gives those that remain."""
        path = f"http/upstreams/{_quoted(upstream)}/servers/{server_id}"
        return await self._call("update_http_servers", "DELETE", path, list[Server])

    async def call(
        self,
        operation: str,
        method: str,
        path: str,
        answer: type[Answer],
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Call `path` of the API, which has the version in it; a path that begins with a slash is
        beside the API. `operation` is its name in the metrics.
        """
        ok = False
        try:
            status, content = await self._exchange(method, path, body)
            if status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
                raise self._refused(method, path, status, content)
            try:
                decoded = msgspec.json.decode(content, type=answer)
            except _NOT_READABLE as error:
                raise ApiRefused(
                    f"{method} {_at(self.url, path)} answered {status} with something that is not "
                    f"{self._access.product}'s API ({error}): {_shown(content)}",
                    status=status,
                    code="",
                ) from error
        except MemoryError as error:
            what = f"there is not enough memory for the answer to {method} {_at(self.url, path)}"
            raise ApiDown(what) from error
        else:
            ok = True
            return decoded
        finally:
            self._metrics.call(operation, ok)

    async def forget_connections(self) -> None:
        """Use new connections: after a reload, kept ones may lead to workers that are leaving.

        A call that is under way still gets its answer.
        """
        session, self._session = self._session, None
        if session is not None and not self._calls[session]:
            await session.close()

    async def close(self) -> None:
        """Close every connection."""
        await self.forget_connections()

    async def _call(
        self,
        operation: str,
        method: str,
        path: str,
        answer: type[Answer],
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        if not self._version:
            self._version = await self._negotiate()
        try:
            return await self.call(operation, method, f"{self._version}/{path}", answer, body)
        except ApiRefused as error:
            if error.code == "UnknownVersion":
                self._version = 0
            raise

    async def _negotiate(self) -> int:
        offered = await self.call("list_versions", "GET", "", list[int])
        known = [version for version in offered if _OLDEST_VERSION <= version <= _NEWEST_VERSION]
        if not known:
            raise ApiRefused(
                f"{self._access.product} at {self.url} offers the API versions "
                f"{offered[:_MOST_VERSIONS]}, none of "
                f"{_OLDEST_VERSION} to {_NEWEST_VERSION}",
                status=HTTPStatus.NOT_FOUND,
                code="UnknownVersion",
            )
        return max(known)

    async def _exchange(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[int, bytearray]:
        data = None if body is None else msgspec.json.encode(body)
        call = f"{method} {_at(self.url, path)}"
        begin = time.monotonic()
        try:
            status, content = await self._request(method, path, data, call)
        except RuntimeApiError as error:
            self._show(call, data, str(error), begin)
            raise
        self._show(call, data, f"{status} {_beginning(content)}", begin)
        return status, content

    async def _request(
        self, method: str, path: str, data: bytes | None, call: str
    ) -> tuple[int, bytearray]:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._connections() as session,
                session.request(
                    method, _at(self._access.url, path), data=data, allow_redirects=False
                ) as response,
            ):
                return response.status, await _bounded(response, call, self._most_bytes)
        except TimeoutError as error:
            raise ApiDown(f"{call} was not answered within {self._timeout:g} s") from error
        except aiohttp.ClientConnectorError as error:
            raise ApiDown(
                f"cannot reach {self._access.product}'s API at {self.url}: {error}"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ApiCut(f"{call} was cut off: {error or type(error).__name__}") from error

    def _show(self, call: str, data: bytes | None, reply: str, begin: float) -> None:
        if self._log.enabled:
            command = call if data is None else f"{call} {data.decode()}"
            self._log.write(command, reply, time.monotonic() - begin)

    @asynccontextmanager
    async def _connections(self) -> AsyncIterator[aiohttp.ClientSession]:
        """The connections in use; those given up are closed with the last call on them."""
        session = self._session or self._connect()
        self._calls[session] += 1
        try:
            yield session
        finally:
            self._calls[session] -= 1
            if not self._calls[session]:
                del self._calls[session]
                if session is not self._session:
                    await session.close()

    def _connect(self) -> aiohttp.ClientSession:
        access = self._access
        self._session = aiohttp.ClientSession(
            connector=self._connector(),
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                **access.headers(),
            },
            timeout=aiohttp.ClientTimeout(total=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
        )
        return self._session

    def _connector(self) -> aiohttp.BaseConnector:
        if self._access.socket:
            return aiohttp.UnixConnector(self._access.socket, limit=_MOST_CONNECTIONS)
        return aiohttp.TCPConnector(limit=_MOST_CONNECTIONS, ssl=self._trust())

    def _trust(self) -> ssl.SSLContext | bool:
        try:
            return self._access.tls()
        except OSError as error:
            raise ApiDown(
                f"cannot use nginxplusapi_ca_file {self._access.ca_file}: {error.strerror or error}"
            ) from error

    def _refused(self, method: str, path: str, status: int, content: bytearray) -> ApiRefused:
        try:
            detail = msgspec.json.decode(content, type=ErrorAnswer).error
        except _NOT_READABLE:
            detail = ErrorDetail(text=_shown(content))
        outcome = f"{status} {detail.code}".strip()
        return ApiRefused(
            f"{method} {_at(self.url, path)} answered {outcome}: {detail.text[:_MOST_TEXT]}"
            f"{_ADVICE.get(detail.code) or _ADVICE.get(str(status), '')}",
            status=status,
            code=detail.code,
        )


_ADVICE = {
    "UpstreamStatic": "; the upstream needs a `zone` in the template",
    "UpstreamNotFound": "; the configuration that NGINX runs has no such upstream",
    "UpstreamOutOfMemory": "; the upstream's `zone` needs more memory",
    "MethodDisabled": "; the location needs `api write=on`",
    "401": "; see nginxplusapi_user and nginxplusapi_pass",
    "403": "; the location's access rules refuse this gateway",
    "413": "; the location's client_body_buffer_size is too small",
}


async def _bounded(response: aiohttp.ClientResponse, call: str, most: int) -> bytearray:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > most:
            # The exception keeps what it was raised beside.
            content.clear()
            raise ApiRefused(
                f"{call} answered with more than {most >> 20} MiB",
                status=response.status,
                code="",
            )
    return content


def _at(api: str, path: str) -> str:
    """The address of a path below the API, or beside it where the path begins with a slash."""
    return api.removesuffix("/api") + path if path.startswith("/") else f"{api}/{path}"


def _quoted(upstream: str) -> str:
    return quote(upstream, safe="")


def _shown(content: bytearray) -> str:
    return repr(_beginning(content))


def _beginning(content: bytearray) -> str:
    return content[:_MOST_TEXT].decode(errors="replace")
