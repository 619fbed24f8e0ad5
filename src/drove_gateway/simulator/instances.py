"""Instances: a small real HTTP server for each container.

Every response names the app and the instance, in its body and in the headers `X-App-Id` and
`X-Instance-Id`. A request may have:

    ?delay=SECONDS   respond that much later
    ?size=BYTES      a body of that size
    ?status=CODE     another status
    /headers         the request's headers as JSON
"""

import asyncio
import json

from aiohttp import web

from drove_gateway.simulator.listener import Listener

GRACE = 60.0
"""Seconds that running requests have when an instance is stopped and not killed."""

KEEP_ALIVE = 300.0
BIGGEST = 256 * 1024 * 1024


class InstanceServer:
    """The server of an instance. It listens from `start` until `stop` or `kill`."""

    def __init__(self, *, app: str, app_id: str, instance_id: str, host: str) -> None:
        self.port = 0
        self.requests = 0
        self._host = host
        self._identity = {"app": app, "appId": app_id, "instanceId": instance_id, "host": host}
        self._headers = {"X-App-Id": app_id, "X-Instance-Id": instance_id}
        self._body = b""
        self._listener = Listener(self._respond, keep_alive=KEEP_ALIVE)

    async def start(self) -> int:
        """Listen on a free port of the executor's address, and return the port."""
        address = "127.0.0.1" if self._host == "localhost" else self._host
        self.port = await self._listener.open(address)
        self._body = json.dumps({**self._identity, "port": self.port}).encode() + b"\n"
        return self.port

    async def stop(self, grace: float = GRACE) -> None:
        """Accept no more connections, let running requests finish, then close."""
        await self._listener.close(grace)

    async def kill(self) -> None:
        """Die: refuse new connections and reset open connections."""
        await self._listener.cut()

    async def _respond(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests += 1
        if request.body_exists:
            async for _ in request.content.iter_any():
                pass
        if not request.query_string and request.path != "/headers":
            return self._plain(self._body)
        try:
            return await self._special(request)
        except ValueError as error:
            return web.Response(status=400, text=f"{error}\n")

    async def _special(self, request: web.BaseRequest) -> web.Response:
        await asyncio.sleep(float(request.query.get("delay", 0)))
        size = int(request.query.get("size", 0))
        if not 0 <= size <= BIGGEST:
            raise ValueError(f"size must be 0 to {BIGGEST} bytes")
        body = b"x" * size or self._body
        if request.path == "/headers":
            body = json.dumps(dict(request.headers)).encode() + b"\n"
        return self._plain(body, int(request.query.get("status", 200)))

    def _plain(self, body: bytes, status: int = 200) -> web.Response:
        response = web.Response(
            status=status, body=body, content_type="application/json", headers=self._headers
        )
        if not self._listener.listening:
            response.force_close()
        return response
