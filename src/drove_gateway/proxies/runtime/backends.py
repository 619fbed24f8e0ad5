"""Backends as the text of a configuration has them, and what brings a running proxy there."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from drove_gateway.proxies.runtime.servers import Change, ObservedServer, WrittenServer

Observed = Mapping[str, Sequence[ObservedServer]]


class BackendChanges(msgspec.Struct, frozen=True):
    """What a running proxy needs to have the backends of a text.

    `changes` add and publish backends, each with its servers, and correct servers that only the
    text knows. `removed` names backends that the text no longer has, `backends` all that it has
    and the runtime API can make. `reload` names the first line for which the text must be loaded;
    then nothing else counts.
    """

    changes: tuple[Change, ...] = ()
    removed: tuple[str, ...] = ()
    backends: Collection[str] = ()
    reload: str = ""


class Situation(msgspec.Struct, frozen=True):
    """What is known of a running proxy.

    `observed` are its backends. `addresses` are those of host names. `hidden` are backends that
    may not be published, `unpublished` those that are not. `own` are those of earlier texts, as
    `own_backends` returned them last: what the text no longer has is removed only where it is known
    to come from one. `leaving` are the servers, by backend and name, that the gateway itself took
    out of traffic. `unwritten` are the servers that were added as the settings say, before a text
    had them. `patience` is how long, in seconds, a server that only the text knew may finish its
    requests.
    """

    observed: Observed
    addresses: Mapping[str, str] = {}
    hidden: Collection[str] = ()
    unpublished: Collection[str] = ()
    own: Mapping[str, object] = {}
    leaving: Collection[tuple[str, str]] = ()
    unwritten: Collection[tuple[str, str]] = ()
    patience: float = 0.0


class ReadsBackends(Protocol):
    """Reads the backends of a configuration from its text. Pure."""

    def first_line(self, before: str, after: str) -> str:
        """Name the first line of `after` that only a reload brings, where `before` is loaded;
        empty where the runtime API may be enough."""
        ...

    def own_backends(self, text: str) -> Mapping[str, object]:
        """Return the backends of `text` that the runtime API can make, by name; only the reader
        knows what the values are."""
        ...

    def backend_names(self, text: str) -> Collection[str]:
        """Return the names of all backends of `text`; none where a surplus does not
        matter."""
        ...

    def servers(self, text: str, backend: str) -> Mapping[str, WrittenServer] | None:
        """Return how `text` has the gateway's servers of a backend, by name; None where servers
        are added as the settings say, whatever the text has."""
        ...

    def unlike(
        self, text: str, unwritten: Collection[tuple[str, str]]
    ) -> tuple[str, set[tuple[str, str]]]:
        """Name the first line of `text` for one of the servers in `unwritten`, by backend and name,
        that makes another server than the settings; empty if there is none. Return with it those
        that `text` does not have yet."""
        ...

    def host_names(self, text: str, observed: Observed) -> set[str]:
        """Return the host names whose addresses `changes` may need."""
        ...

    def changes(self, before: str, after: str, there: Situation) -> BackendChanges:
        """Return what brings a proxy that loaded `before`, or its shared part, to `after`."""
        ...
