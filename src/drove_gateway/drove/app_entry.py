"""Reads an app of a response of `/v1/endpoints`: what has a wrong type costs only itself."""

from collections.abc import Iterable, Iterator
from sys import intern
from typing import TypeAlias

import msgspec

from drove_gateway.drove.excerpt import Hide, excerpt
from drove_gateway.drove.wire import UNREADABLE
from drove_gateway.model.spelling import host_spelling, port_type_spelling, vhost_spelling
from drove_gateway.model.vocabulary import NO_TAGS, AppEndpoints, Host, Rejection


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


class _UnreadApp(msgspec.Struct, rename="camel"):
    """An app whose hosts have not been read."""

    app_id: str
    vhost: str
    hosts: list[msgspec.Raw]
    app_name: str = ""
    tags: dict[str, str | None] | None = None


class _Named(msgspec.Struct, rename="camel"):
    app_id: str = ""


class PartOfApp(msgspec.Struct, frozen=True):
    """What can be read of an app, and what was left out."""

    app: AppEndpoints
    rejected: tuple[Rejection, ...]


AppEntry: TypeAlias = AppEndpoints | PartOfApp | Rejection

_APP = msgspec.json.Decoder(_WireApp)
_UNREAD = msgspec.json.Decoder(_UnreadApp)
_HOST = msgspec.json.Decoder(_WireHost)
_NAMED = msgspec.json.Decoder(_Named)


def read_app(raw: bytes, namespace: str, hide: Hide) -> AppEntry:
    """Read an element of the response.

    A host with a wrong type is left out. The app is rejected as a whole where no host is left, or
    anything else cannot be read: a tag may protect the app.
    """
    try:
        wire = _APP.decode(raw)
    except UNREADABLE as error:
        name = excerpt(_name(raw), hide=hide)
        reason = excerpt(str(error), hide=hide)
        whole = Rejection(namespace, name, "app", excerpt(raw, hide=hide), reason)
        return _part(raw, namespace, hide) or whole
    return _app(wire, wire.hosts)


def app_of(entry: AppEntry) -> AppEndpoints | None:
    """Return the app of an entry, if it has any."""
    match entry:
        case PartOfApp():
            return entry.app
        case Rejection():
            return None
    return entry


def rejected_of(entry: AppEntry) -> tuple[Rejection, ...]:
    """Return what of an entry was left out."""
    match entry:
        case PartOfApp():
            return entry.rejected
        case Rejection():
            return (entry,)
    return ()


def _part(raw: bytes, namespace: str, hide: Hide) -> PartOfApp | None:
    """What can be read of an app; None where no host can."""
    try:
        unread = _UNREAD.decode(raw)
    except UNREADABLE:
        return None
    rejected: list[Rejection] = []
    name = excerpt(unread.app_id, hide=hide)
    hosts: list[_WireHost] = []
    for element in unread.hosts:
        try:
            hosts.append(_HOST.decode(element))
        except UNREADABLE as error:
            value, reason = excerpt(bytes(element), hide=hide), excerpt(str(error), hide=hide)
            rejected.append(Rejection(namespace, name, "host", value, reason))
    if not hosts:
        return None
    return PartOfApp(_app(unread, hosts), tuple(rejected))


def _app(wire: _WireApp | _UnreadApp, hosts: Iterable[_WireHost]) -> AppEndpoints:
    tags = {key: value for key, value in (wire.tags or NO_TAGS).items() if value is not None}
    return AppEndpoints(
        wire.app_name,
        wire.app_id,
        vhost_spelling(wire.vhost),
        tags or NO_TAGS,
        tuple(_hosts(hosts)),
    )


def _hosts(hosts: Iterable[_WireHost]) -> Iterator[Host]:
    for host in hosts:
        spelled = host_spelling(intern(host.host))
        yield Host(spelled, host.port, port_type_spelling(host.port_type))


def _name(raw: bytes) -> str:
    try:
        return _NAMED.decode(raw).app_id
    except UNREADABLE:
        return ""
