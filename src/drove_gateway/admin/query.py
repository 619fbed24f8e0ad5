"""Numbers in the query of a request."""

from aiohttp import web

_MOST_DIGITS = 7


def number(request: web.Request, name: str, default: int) -> int:
    """Return the number `name` of the query; `default` if it is missing or not a number."""
    text = request.query.get(name, "")
    is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
    return int(text) if is_number else default
