"""The page's requests: HTML, its style and script, and a stream that says when to look again."""

import asyncio
from importlib import resources

from aiohttp import web

from drove_gateway.admin.responses import HEADERS, Handler
from drove_gateway.admin.sources import Sources
from drove_gateway.admin.ui.pages import Pages
from drove_gateway.model.spelling import vhost_spelling
from drove_gateway.state.journal import Journal
from drove_gateway.state.past import PastApply
from drove_gateway.status.explanation import UNREAD, explanation
from drove_gateway.status.status import Status

_HTML_HEADERS = {
    **HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}
_TYPES = {"style.css": "text/css", "live.js": "text/javascript"}
_LOOK_SECONDS = 1.0
_ALIVE_SECONDS = 15.0
_LONGEST_STREAM_SECONDS = 3600.0
_MOST_STREAMS = 100
_LONGEST_SEARCH = 253


class Ui:
    """The handlers of the page's requests."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._current = sources.current
        self._pages = Pages()
        self._streams = 0

    async def overview(self, _: web.Request) -> web.StreamResponse:
        """The first page."""
        return _html(self._pages.overview(self._current(), self._sources.journal))

    async def vhosts(self, request: web.Request) -> web.StreamResponse:
        """The list; the query has `q`, a part of the name, and `page`."""
        search = request.query.get("q", "")[:_LONGEST_SEARCH]
        number = request.query.get("page", "1")
        page = int(number) if number.isascii() and number.isdigit() and len(number) < 8 else 1
        status = self._current()
        return _html(await asyncio.to_thread(self._pages.vhosts, status, search, page))

    async def vhost(self, request: web.Request) -> web.StreamResponse:
        """A vhost."""
        name = request.match_info["vhost"][:_LONGEST_SEARCH]
        status, vhost = self._current(), vhost_spelling(name)
        readings = await self._sources.readings(status, (vhost,))
        shown = explanation(status, vhost, readings.get(vhost, UNREAD))
        return _html(await asyncio.to_thread(self._pages.vhost, status, shown))

    async def past_apply(self, request: web.Request) -> web.StreamResponse:
        """An apply, with its plan and the difference of the configuration."""
        number = request.match_info["number"]
        past = await asyncio.to_thread(_past, self._sources.journal, self._current(), number)
        if past is None:
            raise web.HTTPNotFound
        return _html(await asyncio.to_thread(self._pages.past_apply, self._current(), past))

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: one whenever the status is another, so that the page looks again."""
        if self._streams >= _MOST_STREAMS:
            return web.Response(status=503, text="too many open pages\n", headers=HEADERS)
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        self._streams += 1
        try:
            await response.prepare(request)
            await self._send_changes(response)
        except ConnectionError:
            pass
        finally:
            self._streams -= 1
        return response

    async def _send_changes(self, response: web.StreamResponse) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + _LONGEST_STREAM_SECONDS
        shown, written = self._current(), clock()
        while clock() < end:
            await asyncio.sleep(_LOOK_SECONDS)
            latest = self._current()
            if _differs(shown, latest):
                await response.write(b"data: changed\n\n")
                shown, written = latest, clock()
            elif clock() - written > _ALIVE_SECONDS:
                await response.write(b": alive\n\n")
                written = clock()


def _past(journal: Journal, status: Status, number: str) -> PastApply | None:
    """The apply with this number, also if it was not stored yet."""
    found = next((past for past in journal.applies() if past.number == number), None)
    recent = (PastApply(record) for record in status.history)
    return found or next((past for past in recent if past.number == number), None)


def static(name: str) -> Handler:
    """Return the handler of a file of the page."""
    body = resources.files("drove_gateway.admin.ui").joinpath("static", name).read_bytes()
    headers = {**_HTML_HEADERS, "Cache-Control": "max-age=300"}

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=headers, content_type=_TYPES[name], charset="utf-8")

    return handler


def wants_html(request: web.Request) -> bool:
    """Whether the request is a browser's for a page, rather than a program's for text."""
    return request.method == "GET" and "text/html" in request.headers.get("Accept", "")


def _differs(shown: Status, latest: Status) -> bool:
    """Whether a page would look different; counters of drains and times of polls do not count."""
    return (
        shown.history is not latest.history
        or shown.progress != latest.progress
        or shown.built is not latest.built
        or shown.held != latest.held
        or [(view.healthy, view.last_error) for view in shown.namespaces]
        != [(view.healthy, view.last_error) for view in latest.namespaces]
        or shown.proxy != latest.proxy
    )


def _html(text: str) -> web.Response:
    return web.Response(text=text, headers=_HTML_HEADERS, content_type="text/html", charset="utf-8")
