"""Who may read and who may act: bearer tokens (RFC 6750), compared in constant time."""

import enum
import hmac

import msgspec
from aiohttp import web

from drove_gateway.admin.answers import Handler, json_answer


class Right(enum.Enum):
    """What a route needs. Probes carry no secrets, so what they ask is open."""

    NONE = "none"
    READ = "read"
    ACT = "act"


class Access(msgspec.Struct, frozen=True):
    """The tokens that the API wants; an empty one leaves its right to everybody.

    Who may act may also read.
    """

    act: str = ""
    read: str = ""

    def __repr__(self) -> str:
        return "Access(…)"

    def allows(self, right: Right, given: str) -> bool:
        """Whether who sends the token `given` has `right`."""
        wanted = {Right.NONE: "", Right.READ: self.read, Right.ACT: self.act}[right]
        if not wanted:
            return True
        return _same(given, self.act) | (right is Right.READ and _same(given, self.read))


def permitted(handler: Handler, right: Right, access: Access) -> Handler:
    """`handler`, for those who have `right`."""

    async def guarded(request: web.Request) -> web.StreamResponse:
        given = _token(request)
        if access.allows(right, given):
            return await handler(request)
        if access.read and _same(given, access.read):
            return json_answer({"error": "this token may only read; acting needs admin_token"}, 403)
        key = "admin_token" if right is Right.ACT else "admin_read_token or admin_token"
        sent = "the token that was sent is not right" if given else "no token was sent"
        error = (
            f"{request.path} needs a token, and {sent}; send the header "
            f'"Authorization: Bearer TOKEN", with {key} of the gateway\'s configuration'
        )
        answer = json_answer({"error": error}, 401)
        answer.headers["WWW-Authenticate"] = 'Bearer realm="drove-gateway"'
        return answer

    return guarded


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _same(given: str, token: str) -> bool:
    """Takes as long for a token that is nearly right as for any other."""
    return bool(token) & hmac.compare_digest(
        given.encode(errors="surrogateescape"), token.encode(errors="surrogateescape")
    )
