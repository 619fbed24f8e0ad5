"""What the controllers' web framework responds by itself, before Drove's own code runs.

Unknown paths, methods and media types are refused before credentials and leadership are checked.
The pages are those of Jersey on Jetty, as recorded on real controllers (v1.33.3).
"""

from collections.abc import Mapping
from html import escape
from http import HTTPStatus

from drove_gateway.simulator.posts import POST_PATHS
from drove_gateway.simulator.responses import ApiResponse, is_readable

NO_CACHE = "must-revalidate,no-cache,no-store"


def refusal(method: str, uri: str, headers: Mapping[str, str]) -> ApiResponse | None:
    """Return the response to a request that reaches no resource; None when it does reach one."""
    allowed = methods(route_of(uri))
    if not allowed:
        return page(404, uri)
    if method not in {*allowed, "OPTIONS"}:
        listed = ",".join([*(each for each in allowed if each != "HEAD"), "OPTIONS"])
        return page(405, uri, {"Allow": listed})
    media_type = headers.get("Content-Type", "application/json").split(";")[0].strip().lower()
    if method == "POST" and media_type != "application/json":
        return page(415, uri)
    accepted = headers.get("Accept", "*/*").lower()
    if not _accepts(accepted, "application/json", "application/*", "*/*"):
        return page(406, uri, as_text=_accepts(accepted, "text/plain"))
    return None


def route_of(uri: str) -> str:
    """Return the path below `/apis` that a URI's path names; empty when it names none."""
    return uri.removeprefix("/apis").rstrip("/") if uri.startswith("/apis/") else ""


def methods(route: str) -> tuple[str, ...]:
    """Return the methods of a route. There are none for an unknown route."""
    if route in POST_PATHS:
        return ("POST",)
    if is_readable(route):
        return ("HEAD", "GET")
    return ()


def options(route: str) -> ApiResponse:
    """Return the response to OPTIONS."""
    allowed = [*methods(route), "OPTIONS"]
    body = ", ".join(allowed).encode()
    return ApiResponse(200, body, "text/plain", {"Allow": ",".join(allowed)})


def redirect(location: str) -> ApiResponse:
    """Return 303, which a follower sends to browsers."""
    return ApiResponse(303, b"", "", {"Location": location})


def page(
    status: int,
    uri: str,
    headers: Mapping[str, str] | None = None,
    *,
    as_text: bool = False,
) -> ApiResponse:
    """Return the page of an error, which has no date."""
    reason = HTTPStatus(status).phrase
    rows = {"URI": uri, "STATUS": status, "MESSAGE": reason, "SERVLET": "jersey"}
    body = _text(f"{status} {reason}", rows) if as_text else _html(f"{status} {reason}", rows)
    media_type = "text/plain" if as_text else "text/html"
    return ApiResponse(
        status,
        body.encode("iso-8859-1", "xmlcharrefreplace"),
        f"{media_type};charset=iso-8859-1",
        {**(headers or {}), "Cache-Control": NO_CACHE},
        dated=False,
    )


def _html(title: str, rows: Mapping[str, object]) -> str:
    cells = "".join(
        f"<tr><th>{name}:</th><td>{escape(str(value))}</td></tr>\n" for name, value in rows.items()
    )
    return (
        "<html>\n<head>\n"
        '<meta http-equiv="Content-Type" content="text/html;charset=ISO-8859-1"/>\n'
        f"<title>Error {title}</title>\n</head>\n<body><h2>HTTP ERROR {title}</h2>\n"
        f"<table>\n{cells}</table>\n\n</body>\n</html>\n"
    )


def _text(title: str, rows: Mapping[str, object]) -> str:
    lines = "".join(f"{name}: {value}\n" for name, value in rows.items())
    return f"HTTP ERROR {title}\n{lines}"


def _accepts(accepted: str, *media_types: str) -> bool:
    return any(part.split(";")[0].strip() in media_types for part in accepted.split(","))
