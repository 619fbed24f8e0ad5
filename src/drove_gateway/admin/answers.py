"""How this API answers: JSON and text, and errors that say what to do instead."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MOST_INDENTED = 1024 * 1024
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def json_answer(value: Any, status: int = 200) -> web.Response:
    """`value` as JSON: indented as the original's, but for answers that no person reads whole."""
    body = msgspec.json.encode(value)
    if len(body) <= _MOST_INDENTED:
        body = msgspec.json.format(body, indent=2) + b"\n"
    return web.Response(
        body=body, status=status, headers=_HEADERS, content_type="application/json", charset="utf-8"
    )


def text_answer(text: str, status: int = 200) -> web.Response:
    """Plain text."""
    return web.Response(text=text, status=status, headers=_HEADERS)


def from_own_site(handler: Handler) -> Handler:
    """`handler`, but not for a browser that another site sent here (W3C Fetch Metadata, Origin).

    A page that an operator happens to look at could otherwise act through the operator's tunnel.
    """

    async def guarded(request: web.Request) -> web.StreamResponse:
        site = request.headers.get("Sec-Fetch-Site", "none")
        origin = request.headers.get("Origin", f"://{request.host}")
        if site not in {"none", "same-origin"} or origin.partition("://")[2] != request.host:
            return json_answer({"error": "another site's page asked for this"}, 403)
        return await handler(request)

    return guarded


def teach(routes: tuple[str, ...]) -> Middleware:
    """A middleware that answers what is not found or not allowed with what there is."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            error = f"there is no {request.path}"
            return json_answer({"error": error, "routes": routes}, 404)
        except web.HTTPMethodNotAllowed as refusal:
            allowed = ", ".join(sorted(refusal.allowed_methods))
            error = f"{request.path} does not know {request.method}, but {allowed}"
            answer = json_answer({"error": error, "routes": routes}, 405)
            answer.headers["Allow"] = allowed
            return answer

    return middleware
