"""The page's requests: HTML, its style and script, and a stream that says when to look again."""

import asyncio
import secrets
from contextlib import suppress
from importlib import resources

import msgspec
from aiohttp import web

from drove_gateway.admin.closing import CLOSING
from drove_gateway.admin.query import number
from drove_gateway.admin.responses import HEADERS, Handler
from drove_gateway.admin.sessions import Sessions, Viewer
from drove_gateway.admin.sources import Sources
from drove_gateway.admin.ui.live import Live
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
    # With "no-referrer", browsers send "Origin: null" with forms, as for another site's page.
    "Referrer-Policy": "same-origin",
}
_TYPES = {"style.css": "text/css", "live.js": "text/javascript"}
_ALIVE_SECONDS = 15.0
_LONGEST_STREAM_SECONDS = 3600.0
_MOST_STREAMS = 100
_LONGEST_SEARCH = 253


class Ui:
    """The handlers of the page's requests."""

    def __init__(self, sources: Sources, sessions: Sessions) -> None:
        self._sources = sources
        self._sessions = sessions
        # The first page is rendered once for all sessions; each gets its own secret of forms.
        self._any_secret = secrets.token_hex()
        self._current = sources.current
        self._pages = Pages(sources)
        self._live = Live(sources.current, self._overview)

    async def overview(self, request: web.Request) -> web.StreamResponse:
        """The first page."""
        viewer = self._sessions.viewer(request)
        page = await self._live.overview(msgspec.structs.replace(viewer, form_secret=""))
        return _html(page.replace(self._any_secret.encode(), viewer.form_secret.encode()))

    async def login(self, request: web.Request) -> web.StreamResponse:
        """The form that begins a session."""
        return _html(self._pages.login(wrong="wrong" in request.query))

    async def vhosts(self, request: web.Request) -> web.StreamResponse:
        """The list; the query has `q`, a part of the name, and `page`."""
        search = request.query.get("q", "")[:_LONGEST_SEARCH]
        page = number(request, "page", 1)
        status = self._current()
        return _html(
            await asyncio.to_thread(
                self._pages.vhosts, status, self._sessions.viewer(request), search, page
            )
        )

    async def vhost(self, request: web.Request) -> web.StreamResponse:
        """A vhost."""
        name = request.match_info["vhost"][:_LONGEST_SEARCH]
        status, vhost = self._current(), vhost_spelling(name)
        readings = await self._sources.readings(status, (vhost,))
        reading, viewer = readings.get(vhost, UNREAD), self._sessions.viewer(request)

        def rendered() -> str:
            detail = explanation(status, vhost, reading, self._sources.past(status))
            return self._pages.vhost(status, viewer, detail)

        return _html(await asyncio.to_thread(rendered))

    async def past_apply(self, request: web.Request) -> web.StreamResponse:
        """An apply, with its plan and the difference of the configuration."""
        wanted = request.match_info["number"]
        past = await asyncio.to_thread(_past, self._sources.journal, self._current(), wanted)
        if past is None:
            raise web.HTTPNotFound
        return _html(
            await asyncio.to_thread(
                self._pages.past_apply, self._current(), self._sessions.viewer(request), past
            )
        )

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Server-sent events: one whenever the status is another, so that the page looks again."""
        if self._live.watchers >= _MOST_STREAMS:
            return web.Response(status=503, text="too many open pages\n", headers=HEADERS)
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        with self._live.watching(), suppress(ConnectionError):
            await response.prepare(request)
            await self._send_changes(response, request.app[CLOSING])
        return response

    async def _send_changes(self, response: web.StreamResponse, closing: asyncio.Event) -> None:
        clock = asyncio.get_running_loop().time
        end = clock() + _LONGEST_STREAM_SECONDS
        while clock() < end and not closing.is_set():
            changed = await self._live.changed(_ALIVE_SECONDS, closing)
            await response.write(b"data: changed\n\n" if changed else b": alive\n\n")

    def _overview(self, status: Status, viewer: Viewer) -> bytes:
        viewer = msgspec.structs.replace(viewer, form_secret=self._any_secret)
        return self._pages.overview(status, viewer).encode()


def _past(journal: Journal, status: Status, wanted: str) -> PastApply | None:
    """The apply with this number, also if it was not stored yet."""
    found = next((past for past in journal.applies() if past.number == wanted), None)
    recent = (PastApply(record) for record in status.history)
    return found or next((past for past in recent if past.number == wanted), None)


def static(name: str) -> Handler:
    """Return the handler of a file of the page."""
    body = resources.files("drove_gateway.admin.ui").joinpath("static", name).read_bytes()
    headers = {**_HTML_HEADERS, "Cache-Control": "max-age=300"}

    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=body, headers=headers, content_type=_TYPES[name], charset="utf-8")

    return handler


def _html(text: str | bytes) -> web.Response:
    body = text if isinstance(text, bytes) else text.encode()
    return web.Response(body=body, headers=_HTML_HEADERS, content_type="text/html", charset="utf-8")
