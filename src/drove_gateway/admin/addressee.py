"""Which gateway a request is for: two gateways may be configured with the same address.

A command sends what identifies the proxy of its own configuration, and a gateway that drives
another proxy refuses, so that nothing is accepted or reloaded on the wrong proxy.
"""

import hashlib

from aiohttp import web
from aiohttp.typedefs import Middleware

from drove_gateway.admin.responses import Handler, json_response

HEADER = "X-Drove-Gateway-Proxy"

_MISDIRECTED = 421
_ERROR = (
    "another gateway responds here, which drives another proxy than this configuration names; "
    "give each gateway a port of its own, and run the command with the configuration and the "
    "environment of its gateway"
)


def digest(identity: str) -> str:
    """Return what stands for the proxy `identity` in a request; it reveals no path."""
    return hashlib.sha256(identity.encode()).hexdigest()[:16]


def only_for(identity: str) -> Middleware:
    """Return a middleware that refuses requests for another proxy than `identity`."""
    own = digest(identity)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get(HEADER, own) != own:
            return json_response({"error": _ERROR}, _MISDIRECTED)
        return await handler(request)

    return middleware
