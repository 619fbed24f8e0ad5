"""Sessions of browsers, which cannot send a bearer token: a signed cookie, and a secret for forms.

A session begins with a token of the configuration. It allows reading; acting also needs the form's
own secret, so that another site's page can act with no cookie. Sessions end with the process, with
the configuration, after twelve hours, and by logging out; nothing is kept but the sessions that
were ended before their time.
"""

import hmac
import secrets
import time
from collections.abc import Callable

import msgspec
from aiohttp import web

from drove_gateway.admin.form_fields import form_fields
from drove_gateway.admin.responses import Handler, json_response, same_site_only
from drove_gateway.admin.tokens import ApiTokens, Right

COOKIE = "drove_gateway_session"
FORM_SECRET = "form_secret"  # noqa: S105 - the name of a field

_SECONDS = 12 * 3600.0
_LONGEST_COOKIE = 200
# More than these are not remembered one by one: then every session ends.
_MOST_ENDED = 1000


class Viewer(msgspec.Struct, frozen=True):
    """What a page offers: `acts` with the `form_secret` of the session, or else to log in."""

    acts: bool = False
    may_log_in: bool = False
    form_secret: str = ""


class Sessions:
    """The sessions of browsers. `secure` keeps the cookie to HTTPS; `wall` is in Unix seconds."""

    def __init__(
        self, tokens: ApiTokens, *, secure: bool = False, wall: Callable[[], float] = time.time
    ) -> None:
        self._tokens = tokens
        self._secure = secure
        self._wall = wall
        self._key = secrets.token_bytes(32)
        self._ended: dict[str, float] = {}

    def begin(self, token: str, response: web.StreamResponse) -> bool:
        """Set the cookie of a new session if `token` is one of the configuration's."""
        right = self._tokens.right_of(token)
        if right is Right.NONE:
            return False
        content = f"{right.value}.{int(self._wall() + _SECONDS)}.{secrets.token_hex(8)}"
        response.set_cookie(
            COOKIE,
            f"{content}.{self._signed('session', content)}",
            max_age=int(_SECONDS),
            path="/",
            httponly=True,
            samesite="Lax",
            secure=self._secure,
        )
        return True

    def end(self, request: web.Request, response: web.StreamResponse) -> None:
        """End the session of `request`: its cookie is removed, and copies of it become useless."""
        if self.right(request) is not Right.NONE:
            now = self._wall()
            self._ended = {
                cookie: expires for cookie, expires in self._ended.items() if expires > now
            }
            if len(self._ended) >= _MOST_ENDED:
                self._ended.clear()
                self._key = secrets.token_bytes(32)
            self._ended[_cookie(request)] = now + _SECONDS
        response.del_cookie(COOKIE, path="/")

    def right(self, request: web.Request) -> Right:
        """Return what the session of `request` allows; `NONE` without a valid session."""
        content, _, signature = _cookie(request).rpartition(".")
        if not hmac.compare_digest(signature.encode(), self._signed("session", content).encode()):
            return Right.NONE
        if _cookie(request) in self._ended:
            return Right.NONE
        right, expires, _ = content.split(".")
        return Right(right) if int(expires) > self._wall() else Right.NONE

    def or_session(self, handler: Handler, inner: Handler) -> Handler:
        """Return `inner` for requests of a session, `handler` for the others."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.right(request) is Right.NONE:
                return await handler(request)
            return await inner(request)

        return guarded

    def viewer(self, request: web.Request) -> Viewer:
        """Return what a page offers to `request`. Without `admin_token` no page acts."""
        if self.right(request) is Right.ACT:
            return Viewer(acts=True, form_secret=self._form_secret(request))
        return Viewer(may_log_in=bool(self._tokens.act))

    def form(self, handler: Handler) -> Handler:
        """Return `handler` for forms of a page of this gateway, sent in a session that may act."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.right(request) is not Right.ACT:
                return json_response({"error": "log in with admin_token at /ui/login"}, 403)
            sent = (await form_fields(request)).get(FORM_SECRET, "")
            if not hmac.compare_digest(_bytes(sent), _bytes(self._form_secret(request))):
                return json_response(
                    {"error": "the form is not of this session: load it again"}, 403
                )
            return await handler(request)

        return same_site_only(guarded)

    def _form_secret(self, request: web.Request) -> str:
        return self._signed("form", _cookie(request))

    def _signed(self, purpose: str, text: str) -> str:
        return hmac.digest(self._key, _bytes(f"{purpose}|{text}"), "sha256").hex()


def _cookie(request: web.Request) -> str:
    cookie = request.cookies.get(COOKIE, "")
    return cookie if len(cookie) <= _LONGEST_COOKIE and cookie.isascii() else ""


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
