"""Responses of the HTTP API: JSON and text, and errors that say what to do instead."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_MOST_INDENTED = 1024 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Server": "drove-gateway",
}
"""The headers of every response. `Server` hides the versions of the libraries in use."""


def json_response(document: Any, status: int = 200) -> web.Response:
    """`document` as JSON, indented like the original's unless it is too large to be read."""
    body = msgspec.json.encode(document)
    if len(body) <= _MOST_INDENTED:
        body = msgspec.json.format(body, indent=2) + b"\n"
    return web.Response(
        body=body, status=status, headers=HEADERS, content_type="application/json", charset="utf-8"
    )


def text_response(text: str, status: int = 200) -> web.Response:
    """`text` as plain text."""
    return web.Response(text=text, status=status, headers=HEADERS)


def same_site_only(handler: Handler) -> Handler:
    """Return `handler` without requests that a browser sends for another site's page.

    Otherwise a page that an operator visits could act through the operator's tunnel. Browsers say
    where a request comes from (W3C Fetch Metadata, Origin).
    """

    async def guarded(request: web.Request) -> web.StreamResponse:
        site = request.headers.get("Sec-Fetch-Site", "none")
        origin = request.headers.get("Origin", f"://{request.host}")
        if site not in {"none", "same-origin"} or origin.partition("://")[2] != request.host:
            return json_response({"error": "the request comes from another site's page"}, 403)
        return await handler(request)

    return guarded


def explain_routing_errors(routes: tuple[str, ...]) -> Middleware:
    """Return a middleware that lists `routes` when a path or method does not exist."""

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            error = f"there is no route {request.path}"
            return json_response({"error": error, "routes": routes}, 404)
        except web.HTTPMethodNotAllowed as refusal:
            allowed = ", ".join(sorted(refusal.allowed_methods))
            error = f"{request.path} does not support {request.method}; use {allowed}"
            response = json_response({"error": error, "routes": routes}, 405)
            response.headers["Allow"] = allowed
            return response

    return middleware


def wants_html(request: web.Request) -> bool:
    """Whether the request is a browser's for a page, rather than a program's for text."""
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")
