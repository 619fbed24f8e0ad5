"""Opens a controller's responses. Pure.

Every response is `{"status": "SUCCESS" | "FAILED", "data": …, "message": …}`, with null fields left
out. What comes is untrusted: types are checked where it is decoded, and what a vhost, host or tag
may say is checked by the topology. Unknown fields are ignored, of a repeated key the last value
counts.
"""

import re
from typing import TypeVar

import msgspec

from drove_gateway.drove.excerpt import Hide, as_it_is, excerpt
from drove_gateway.model.errors import BadResponse

T = TypeVar("T")

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoders raise for bytes that are not what they decode."""

_ESCAPE = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|\\u(?P<lone>[dD][89a-fA-F][0-9a-fA-F]{2})|\\.",
    re.DOTALL,
)


# Looking at each costs a microsecond, and no name or tag needs any.
_MOST_ESCAPES = 500_000


class _Envelope(msgspec.Struct):
    status: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    message: str | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)


def success(body: bytes, hide: Hide = as_it_is) -> msgspec.Raw:
    """Return a response's `data`, not decoded. Raises BadResponse unless the status is SUCCESS."""
    envelope = decoded(_ENVELOPE, body, "the response is not from a Drove controller", hide)
    if envelope.status != "SUCCESS":
        message = f": {excerpt(envelope.message, hide=hide)}" if envelope.message else ""
        status = excerpt(envelope.status, 40, hide)
        raise BadResponse(f"the response's status is {status!r}{message}")
    return envelope.data


def complaint(body: bytes, hide: Hide = as_it_is) -> str:
    """Return what a response other than 200 says: Drove's message, or else the body's start."""
    try:
        return excerpt(_ENVELOPE.decode(body).message or body, hide=hide)
    except UNREADABLE:
        return excerpt(body, hide=hide)


def decoded(
    decoder: msgspec.json.Decoder[T],
    data: bytes | msgspec.Raw,
    problem: str,
    hide: Hide = as_it_is,
) -> T:
    """Decode `data`. Raises BadResponse with `problem`, and the start of what came.

    Half of a surrogate pair, which Java writes as `\\ud800` and no decoder takes, spoils only the
    element that it is in.
    """
    try:
        return decoder.decode(data)
    except UNREADABLE as error:
        raw = bytes(data)
        mended = _without_lone_surrogates(raw)
        if mended is not None:
            return decoded(decoder, mended, problem, hide)
        shown = excerpt(raw, hide=hide)
        raise BadResponse(f"{problem}: {excerpt(str(error))}: {shown!r}") from error


def _without_lone_surrogates(data: bytes) -> bytes | None:
    """Write lone surrogates as bytes that are not valid UTF-8, or return None without any.

    Splitting a response into its elements passes over such bytes, decoding the element does not.
    """
    if data.count(b"\\") > _MOST_ESCAPES:
        return None
    found = False

    def replaced(match: re.Match[bytes]) -> bytes:
        nonlocal found
        if match["lone"] is None:
            return match[0]
        found = True
        return chr(int(match["lone"], 16)).encode(errors="surrogatepass")

    mended = _ESCAPE.sub(replaced, data)
    return mended if found else None
