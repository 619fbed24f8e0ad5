"""Who may read and who may act: bearer tokens (RFC 6750), compared in constant time."""

import enum
import hmac

import msgspec
from aiohttp import web

from drove_gateway.admin.attempts import FailedAttempts, later
from drove_gateway.admin.responses import HEADERS, Handler, json_response, wants_html


class Right(enum.Enum):
    """What a route requires. Probes send no secret, so the routes for them are open. `FORM` is for
    the page's forms: a session that may act, and the secret of its forms."""

    NONE = "none"
    READ = "read"
    ACT = "act"
    FORM = "form"


class ApiTokens(msgspec.Struct, frozen=True):
    """The tokens of the API. An empty token grants its right to everyone.

    The token for acting also allows reading.
    """

    act: str = ""
    read: str = ""

    def __repr__(self) -> str:
        return "ApiTokens(…)"

    def allow(self, right: Right, sent: str) -> bool:
        """Whether a request with the token `sent` has `right`."""
        required = {Right.READ: self.read, Right.ACT: self.act}.get(right, "")
        if not required:
            return True
        return _equal(sent, self.act) | (right is Right.READ and _equal(sent, self.read))

    def right_of(self, sent: str) -> Right:
        """Return the right that a configured token brings; `NONE` for any other text."""
        if _equal(sent, self.act):
            return Right.ACT
        return Right.READ if _equal(sent, self.read) else Right.NONE


def require(right: Right, tokens: ApiTokens, handler: Handler, failed: FailedAttempts) -> Handler:
    """Return `handler` for requests that have `right`; other requests get 401 or 403, and an
    address that sent many wrong tokens gets 429 for any token."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        sent, address = _token(request), str(request.remote)
        if tokens.allow(right, ""):
            return await handler(request)
        if sent and (wait := failed.wait(address)):
            return later(wait)
        if tokens.allow(right, sent):
            return await handler(request)
        if sent and tokens.right_of(sent) is Right.NONE:
            failed.fail(address)
        if tokens.read and _equal(sent, tokens.read):
            error = "this token allows reading only; this request requires admin_token"
            return json_response({"error": error}, 403)
        if right is Right.READ and wants_html(request):
            return web.Response(status=303, headers={**HEADERS, "Location": "/ui/login"})
        return _unauthorized(request.path, right, sent)

    return guarded


def _unauthorized(path: str, right: Right, sent: str) -> web.Response:
    key = "admin_token" if right is Right.ACT else "admin_read_token or admin_token"
    problem = "the request has a wrong token" if sent else "the request has none"
    error = (
        f"{path} requires a token, and {problem}; send the header "
        f'"Authorization: Bearer TOKEN" with {key} from the gateway\'s configuration'
    )
    response = json_response({"error": error}, 401)
    response.headers["WWW-Authenticate"] = 'Bearer realm="drove-gateway"'
    return response


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _equal(sent: str, token: str) -> bool:
    """Compare in a time that does not depend on how much of the token is right."""
    return bool(token) & hmac.compare_digest(
        sent.encode(errors="surrogateescape"), token.encode(errors="surrogateescape")
    )
