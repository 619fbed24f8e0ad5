"""Refuse requests that name another host than this machine, where nothing else protects a route.

A page on the internet can have its own name resolve to 127.0.0.1 (DNS rebinding); a browser then
lets it read and act. Such a request still names the page's host. A request that names no host, as
HAProxy's checks, or an address does not come from such a page.
"""

from collections.abc import Collection
from ipaddress import ip_address

from aiohttp import web

from drove_gateway.admin.responses import Handler, json_response


def is_known_host(sent: str, allowed: Collection[str]) -> bool:
    """Whether the `Host` header `sent` names this machine: by address, as localhost, or allowed."""
    name = sent.strip().lower()
    if not name.endswith("]"):
        head, colon, port = name.rpartition(":")
        name = head if colon and port.isdigit() and (":" not in head or head[-1:] == "]") else name
    name = name.removeprefix("[").removesuffix("]").removesuffix(".")
    if not name or name == "localhost" or name.endswith(".localhost") or name in allowed:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def known_hosts_only(handler: Handler, allowed: Collection[str]) -> Handler:
    """Return `handler` for requests that name a known host; other requests get 403."""
    names = frozenset(host.lower() for host in allowed)

    async def guarded(request: web.Request) -> web.StreamResponse:
        if is_known_host(request.headers.get("Host", ""), names):
            return await handler(request)
        error = (
            "the Host header names a host that this gateway does not know; list it in "
            "admin_allowed_hosts, or set admin_token and admin_read_token"
        )
        return json_response({"error": error}, 403)

    return guarded
