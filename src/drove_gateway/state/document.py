"""The stored state as bytes: one JSON document, with a checksum. Pure.

`{"format": …, "version": 1, "checksum": "sha256:…", "content": {…}}`, where the checksum is that
of the bytes of `content`. A file that was torn, edited or written by another program is
recognised, and never used in part.
"""

import hashlib
from typing import Any

import msgspec

from drove_gateway.model.errors import StateError
from drove_gateway.model.spelling import app_spelling
from drove_gateway.model.vocabulary import AppEndpoints, Leader, Rejection, Snapshot

FORMAT = "drove-gateway state"
VERSION = 1

_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class StoredNamespace(msgspec.Struct, frozen=True):
    """What was accepted of a namespace and applied.

    `controllers` are the URLs that were configured then, `changed` is when it last changed, in
    Unix seconds.
    """

    snapshot: Snapshot
    controllers: tuple[str, ...]
    changed: float


class State(msgspec.Struct, frozen=True):
    """What one gateway applied to its proxy. `proxy` names which, as the configuration does."""

    proxy: str
    namespaces: tuple[StoredNamespace, ...]


class _Document(msgspec.Struct):
    format: str
    version: int
    checksum: str
    content: msgspec.Raw


class _Content(msgspec.Struct, frozen=True):
    gateway: str
    proxy: str
    namespaces: tuple[Any, ...]


class _Namespace(msgspec.Struct, frozen=True):
    name: str
    changed: float
    controllers: tuple[str, ...]
    leader: Leader
    rejected: tuple[Rejection, ...]
    apps: tuple[Any, ...]


class _WrittenNamespace(_Namespace, frozen=True):
    apps: tuple[AppEndpoints, ...]


class _WrittenContent(_Content, frozen=True):
    namespaces: tuple[_WrittenNamespace, ...]


_DOCUMENT = msgspec.json.Decoder(_Document)
_CONTENT = msgspec.json.Decoder(_WrittenContent)


def encode(state: State, *, gateway: str) -> bytes:
    """`state` as the bytes of a file; `gateway` is the version that writes it.

    Each app is encoded by a call of its own, so that a thread that does this lets others run.
    """
    parts = tuple(_encoded(namespace) for namespace in state.namespaces)
    content = msgspec.json.encode(_Content(gateway, state.proxy, parts))
    return msgspec.json.encode(_Document(FORMAT, VERSION, _checksum(content), msgspec.Raw(content)))


def decode(data: bytes) -> State:
    """The state that `data` holds. Raises StateError, with what is wrong with it."""
    try:
        document = _DOCUMENT.decode(data)
    except _UNREADABLE as error:
        raise StateError(f"it is not a stored state, or it was cut off: {error}") from error
    if document.format != FORMAT:
        raise StateError("another program wrote it")
    if document.version != VERSION:
        age = "a newer" if document.version > VERSION else "an older"
        raise StateError(
            f"{age} gateway wrote it: it is of version {document.version}, not {VERSION}"
        )
    if document.checksum != _checksum(bytes(document.content)):
        raise StateError("its checksum is wrong: it was cut off, edited or damaged on disk")
    try:
        content = _CONTENT.decode(document.content)
    except _UNREADABLE as error:
        raise StateError(f"its content is not a state: {error}") from error
    return State(content.proxy, tuple(_decoded(namespace) for namespace in content.namespaces))


def _encoded(namespace: StoredNamespace) -> msgspec.Raw:
    snapshot = namespace.snapshot
    apps = tuple(msgspec.Raw(msgspec.json.encode(app)) for app in snapshot.apps)
    part = _Namespace(
        name=snapshot.namespace,
        changed=namespace.changed,
        controllers=namespace.controllers,
        leader=snapshot.leader,
        rejected=snapshot.rejected,
        apps=apps,
    )
    return msgspec.Raw(msgspec.json.encode(part))


def _decoded(part: _WrittenNamespace) -> StoredNamespace:
    apps = tuple(app_spelling(app) for app in part.apps)
    snapshot = Snapshot(part.name, part.leader, apps, part.rejected)
    return StoredNamespace(snapshot, part.controllers, part.changed)


def _checksum(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
