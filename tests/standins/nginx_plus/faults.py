"""Faults that a test scripts: how the API misbehaves, where, and how often."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from aiohttp import web

FaultKind = Literal["status", "slow", "hang", "garbage", "drop", "lose", "redirect", "meanwhile"]


@dataclass
class Fault:
    """One fault. `method` and `path` are patterns for whole texts; `times` None means always.

    `drop` ends the connection before the call is carried out, `lose` after it; `slow` answers
    after `seconds`, `hang` never; `meanwhile` lets `action` happen before the call is carried out.
    """

    kind: FaultKind
    method: str = ".*"
    path: str = ".*"
    times: int | None = None
    status: int = 500
    body: bytes = b"<html>Internal Server Error</html>"
    seconds: float = 0.0
    action: Callable[[], None] = lambda: None
    met: asyncio.Event = field(default_factory=asyncio.Event)

    def matches(self, request: web.Request) -> bool:
        if self.times == 0:
            return False
        if not re.fullmatch(self.method, request.method):
            return False
        return re.fullmatch(self.path, request.path) is not None


async def before(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """What the fault does before the call is carried out; None lets it be carried out."""
    if fault.times is not None:
        fault.times -= 1
    fault.met.set()
    match fault.kind:
        case "status":
            return web.Response(status=fault.status, body=fault.body)
        case "garbage":
            return web.Response(status=200, body=fault.body)
        case "redirect":
            return web.Response(status=302, headers={"Location": "http://192.0.2.1/api/"})
        case "hang":
            await asyncio.Event().wait()
        case "slow":
            await asyncio.sleep(fault.seconds)
        case "drop":
            cut(request)
            return web.Response()
        case "meanwhile":
            fault.action()
        case "lose":
            pass
    return None


def cut(request: web.Request) -> None:
    """End the connection without an answer."""
    if request.transport is not None:
        request.transport.abort()
