"""Decodes a controller's responses into the model. Pure.

Every response is `{"status": "SUCCESS" | "FAILED", "data": …, "message": …}`, with null fields left
out. What comes is untrusted: types are checked here, and what a vhost, host or tag may say is
checked by the topology. Unknown fields are ignored, of a repeated key the last value counts.
"""

from collections.abc import Mapping
from sys import intern
from typing import Annotated, TypeVar

import msgspec

from drove_gateway.drove.excerpt import excerpt
from drove_gateway.model.errors import BadResponse
from drove_gateway.model.spelling import host_spelling, port_type_spelling, vhost_spelling
from drove_gateway.model.vocabulary import NO_TAGS, AppEndpoints, Host, Rejection

T = TypeVar("T")

# Splitting costs about 70 bytes an element, so a body of `[1,1,1,…` would cost 35 times its size.
# A response with 100,000 hosts has about 350,000 commas.
MOST_COMMAS = 2_000_000

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# The controller takes the time back as a Java long that is not negative.
_JavaMillis = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class EventsSummary(msgspec.Struct, frozen=True, rename="camel"):
    """How many events of each type happened since the asked time, and the newest one's time.

    `last_sync_time` is in the controller's epoch milliseconds; it may be lower than what was
    asked with.
    """

    last_sync_time: _JavaMillis
    events_count: Mapping[str, int] = {}


class EndpointsListing(msgspec.Struct, frozen=True):
    """A response of `/v1/endpoints`: its apps, in the response's order, and what was left out."""

    apps: tuple[AppEndpoints, ...]
    rejected: tuple[Rejection, ...] = ()


class _Envelope(msgspec.Struct):
    status: str = ""
    data: msgspec.Raw = msgspec.Raw(b"null")
    message: str | None = None


class _EndpointsEnvelope(msgspec.Struct):
    status: str = ""
    data: list[msgspec.Raw] | None = None


class _WireHost(msgspec.Struct, rename="camel", gc=False):
    host: str
    port: int
    port_type: str


class _WireApp(msgspec.Struct, rename="camel", gc=False):
    app_id: str
    vhost: str
    hosts: list[_WireHost]
    app_name: str = ""
    tags: dict[str, str | None] | None = None


class _Named(msgspec.Struct, rename="camel"):
    app_id: str = ""


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_SUMMARY = msgspec.json.Decoder(EventsSummary)
_ENDPOINTS = msgspec.json.Decoder(_EndpointsEnvelope)
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw])
_APP = msgspec.json.Decoder(_WireApp)
_NAMED = msgspec.json.Decoder(_Named)


def success(body: bytes) -> msgspec.Raw:
    """Return a response's `data`, not decoded. Raises BadResponse unless the status is SUCCESS."""
    envelope = _decoded(_ENVELOPE, body, "the response is not from a Drove controller")
    if envelope.status != "SUCCESS":
        message = f": {excerpt(envelope.message)}" if envelope.message else ""
        raise BadResponse(f"the response's status is {excerpt(envelope.status, 40)!r}{message}")
    return envelope.data


def complaint(body: bytes) -> str:
    """Return what a response other than 200 says: Drove's message, or else the body's start."""
    try:
        return excerpt(_ENVELOPE.decode(body).message or body)
    except _UNREADABLE:
        return excerpt(body)


def events_summary(body: bytes) -> EventsSummary:
    """Decode a response of `/v1/cluster/events/summary`. Raises BadResponse."""
    return _decoded(_SUMMARY, success(body), "the response is not a summary of events")


class EndpointsDecoder:
    """Decodes the responses of `/v1/endpoints`, one after the other.

    It remembers the last response, so that the cost follows what changed: equal bytes return the
    same `EndpointsListing`, and an app whose bytes are equal returns the same `AppEndpoints`. Later
    stages may compare by identity first.
    """

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._body: bytes | None = None
        self._listing = EndpointsListing(())
        self._known: dict[bytes, AppEndpoints | Rejection] = {}

    def decode(self, body: bytes) -> EndpointsListing:
        """Return the apps that `body` lists. Raises BadResponse, and keeps the last good response.

        An app with wrong types becomes a `Rejection`, and the others are kept. When no app can be
        read the whole response is bad, since an empty list would mean that nothing runs.
        """
        if body == self._body:
            return self._listing
        known = {bytes(raw): None for raw in _elements(body)}
        read = {raw: self._known.get(raw) or self._read(raw) for raw in known}
        apps = tuple(entry for entry in read.values() if isinstance(entry, AppEndpoints))
        rejected = tuple(entry for entry in read.values() if isinstance(entry, Rejection))
        if rejected and not apps:
            raise BadResponse(
                f"no app in the response can be read; the first problem: {rejected[0].reason}"
            )
        self._body, self._known, self._listing = body, read, EndpointsListing(apps, rejected)
        return self._listing

    def _read(self, raw: bytes) -> AppEndpoints | Rejection:
        try:
            return _app(_APP.decode(raw))
        except _UNREADABLE as error:
            return Rejection(self._namespace, _name(raw), "app", excerpt(raw), excerpt(str(error)))


def _elements(body: bytes) -> list[msgspec.Raw]:
    if body.count(b",") > MOST_COMMAS:
        raise BadResponse(
            f"the response has more than {MOST_COMMAS:,} commas, more than any cluster produces"
        )
    try:
        envelope = _ENDPOINTS.decode(body)
    except _UNREADABLE:
        envelope = _EndpointsEnvelope()
    if envelope.status == "SUCCESS" and envelope.data is not None:
        return envelope.data
    # Looked at once more, piece by piece, to say what is wrong.
    return _decoded(_ELEMENTS, success(body), "the response is not a list of endpoints")


def _app(wire: _WireApp) -> AppEndpoints:
    tags = {key: value for key, value in (wire.tags or NO_TAGS).items() if value is not None}
    hosts = tuple(
        Host(host_spelling(intern(host.host)), host.port, port_type_spelling(host.port_type))
        for host in wire.hosts
    )
    return AppEndpoints(
        wire.app_name, wire.app_id, vhost_spelling(wire.vhost), tags or NO_TAGS, hosts
    )


def _name(raw: bytes) -> str:
    try:
        return excerpt(_NAMED.decode(raw).app_id)
    except _UNREADABLE:
        return ""


def _decoded(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, problem: str) -> T:
    try:
        return decoder.decode(data)
    except _UNREADABLE as error:
        raise BadResponse(f"{problem}: {excerpt(str(error))}: {excerpt(bytes(data))!r}") from error
