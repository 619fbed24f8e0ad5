"""What the page's forms do: log in, log out, and act. Every response leads back to the page."""

import time
from collections.abc import Callable

from aiohttp import web

from drove_gateway.acceptance.acceptance import AcceptRequest
from drove_gateway.admin.actions import Actions
from drove_gateway.admin.attempts import FailedAttempts, later
from drove_gateway.admin.form_fields import form_fields
from drove_gateway.admin.responses import HEADERS
from drove_gateway.admin.sessions import Sessions

_MOST_WRONG_TOKENS = 10
_WRONG_TOKENS_SECONDS = 60.0


class Forms:
    """The handlers of the forms. Access to those that act is checked before they are called."""

    def __init__(
        self, actions: Actions, sessions: Sessions, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._actions = actions
        self._sessions = sessions
        self._failed = FailedAttempts(_MOST_WRONG_TOKENS, _WRONG_TOKENS_SECONDS, clock)

    async def log_in(self, request: web.Request) -> web.StreamResponse:
        """Begin a session with the token that was entered, unless too many were wrong."""
        response = _back("/ui/")
        token = (await form_fields(request)).get("token", "")
        address = str(request.remote)
        if wait := self._failed.wait(address):
            return later(wait)
        if self._sessions.begin(token, response):
            return response
        self._failed.fail(address)
        return _back("/ui/login?wrong=1")

    async def log_out(self, request: web.Request) -> web.StreamResponse:
        """End the session."""
        response = _back("/ui/")
        self._sessions.end(request, response)
        return response

    async def reload(self, _: web.Request) -> web.StreamResponse:
        """Fetch everything again and apply."""
        self._actions.reload()
        return _back("/ui/")

    async def accept(self, request: web.Request) -> web.StreamResponse:
        """Apply the held withdrawals of the vhosts that the form names."""
        names = tuple((await form_fields(request)).getall("name", ()))
        if names:
            await self._actions.accept(AcceptRequest(names, caller=f"the page ({request.remote})"))
        return _back("/ui/")


def _back(to: str) -> web.Response:
    return web.Response(status=303, headers={**HEADERS, "Location": to})
