"""Servers as values: desired, observed, and the changes that lead from these to those."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Literal, TypeAlias

import msgspec

from drove_gateway.model.plan import Step

Held: TypeAlias = Literal["", "drain", "maintenance"]
Parameter: TypeAlias = tuple[str, int | str]


class DesiredServer(msgspec.Struct, frozen=True, gc=False):
    """A server that should serve. `address` is empty while its host name has none. `tls` says
    whether the proxy must use TLS for it; None where that is not the server's business."""

    name: str
    address: str
    port: int
    https: bool = False
    tls: bool | None = None


class DesiredBackend(msgspec.Struct, frozen=True, gc=False):
    """The servers that a backend should have; removed servers have `patience` seconds to finish
    their requests. `leaves` says that the backend itself is no longer wanted."""

    name: str
    vhost: str
    servers: tuple[DesiredServer, ...]
    patience: float = 0.0
    leaves: bool = False


class ObservedServer(msgspec.Struct, frozen=True, gc=False):
    """A server as the proxy has it.

    `serving`: it gets new requests. `held` is "drain" or "maintenance" if someone put it there.
    `ours`: the gateway chose its name. `checked`: its first health check has a result. `active`
    counts its requests, if they were requested. `handle` identifies it to the API if its name does
    not. `parameters` are those in the reply. `tls` says whether the proxy uses TLS for it; None
    where the reply does not tell. `weight` is that which someone set at runtime, None where it
    is as configured.
    """

    name: str
    address: str = ""
    port: int = 0
    serving: bool = True
    held: Held = ""
    ours: bool = True
    checked: bool = False
    active: int = 0
    handle: int | None = None
    parameters: tuple[Parameter, ...] = ()
    tls: bool | None = None
    weight: int | None = None


class ObservedBackends(msgspec.Struct, frozen=True):
    """Backends with their servers. A backend that the proxy does not have is in neither mapping;
    `problems` says why others could not be read."""

    backends: Mapping[str, Sequence[ObservedServer]]
    problems: Mapping[str, str] = {}


class WrittenServer(msgspec.Struct, frozen=True):
    """A server as the text of a configuration has it: its `options` as the runtime API takes them,
    and whether they have the proxy check it and use TLS for it."""

    options: str
    checked: bool = False
    tls: bool = False


class Process(msgspec.Struct, frozen=True):
    """The proxy's process that answers: `generation` counts its loads, `uptime` is in seconds."""

    pid: int
    generation: int = 0
    uptime: int = 0
    version: str = ""


class Action(Enum):
    """What is done to a server, or to a backend as a whole."""

    # Members are single objects; Enum's own hash is slow, and thousands are looked up at once.
    __hash__ = object.__hash__

    ADD = "add server"
    PROBE = "add server, probe first"
    MOVE = "move server"
    REPLACE = "replace server"
    READY = "make server ready"
    UPDATE = "change server"
    DRAIN = "drain server"
    RESTORE = "restore server's state"
    DELETE = "delete server"
    ADD_BACKEND = "add backend"
    PUBLISH = "publish backend"
    UNPUBLISH = "unpublish backend"
    DELETE_BACKEND = "delete backend"


ADDITIONS = frozenset({Action.ADD, Action.PROBE, Action.REPLACE})
OF_BACKENDS = frozenset(
    {Action.ADD_BACKEND, Action.PUBLISH, Action.UNPUBLISH, Action.DELETE_BACKEND}
)
REMOVALS = frozenset({Action.DRAIN, Action.DELETE})


class Change(msgspec.Struct, frozen=True, gc=False):
    """One thing to do to the server `name` of `backend`.

    A drained server has `patience` seconds. `differing` names the parameters to change. After a
    deletion, `remaining` servers of this name should be left; with `busy` the server still has
    requests, and their time is over. `held` and `weight` are what an operator had set. A server is
    added with `options`, or as the settings say where that is None. A backend is added from the
    section `defaults`; its changes have no `name`.
    """

    action: Action
    backend: str
    name: str
    reason: str = ""
    address: str = ""
    port: int = 0
    https: bool = False
    patience: float = 0.0
    handle: int | None = None
    differing: tuple[str, ...] = ()
    remaining: int = 0
    busy: bool = False
    held: Held = ""
    weight: int | None = None
    options: str | None = None
    defaults: str = ""

    def step(self) -> Step:
        """The change as plans and histories show it."""
        subject = self.backend if self.action in OF_BACKENDS else f"{self.backend}/{self.name}"
        return Step(self.action.value, subject, self.reason)


class Result(msgspec.Struct, frozen=True, gc=False):
    """The outcome of a change, with the reason unless it is done.

    "busy": the server cannot be deleted yet; "outdated": the backend is not as it was read;
    "refused": not possible now; "needs reload": not possible at runtime; "pinned": the
    configuration does not let the server be deleted. `server` is the server after the change,
    where the reply shows it.
    """

    state: Literal["done", "busy", "outdated", "refused", "needs reload", "pinned"] = "done"
    problem: str = ""
    server: ObservedServer | None = None


class Batch(msgspec.Struct, frozen=True):
    """The results of changes, in their order, and the backends that were read back after them."""

    results: Sequence[Result]
    observed: ObservedBackends | None = None


def after(
    servers: Sequence[ObservedServer], changes: Sequence[tuple[Change, Result]]
) -> list[ObservedServer]:
    """The servers of a backend after `changes`, by what their results say."""
    done = [(change, result.server) for change, result in changes if result.state == "done"]
    handles = {change.handle for change, _ in done if change.handle is not None}
    deleted = {c.name for c, _ in done if c.action is Action.DELETE and c.handle is None}
    left = [s for s in servers if s.handle not in handles and s.name not in deleted]
    return left + [server for _, server in done if server is not None]


def problems(pairs: Iterable[tuple[Change, Result]], states: Collection[str]) -> dict[str, str]:
    """The first problem of each backend with a result in one of `states`."""
    found: dict[str, str] = {}
    for change, result in pairs:
        if result.state in states:
            found.setdefault(change.backend, result.problem)
    return found


def note_unwritten(unwritten: set[tuple[str, str]], changes: Iterable[Change]) -> None:
    """Keep in `unwritten` the servers, by backend and name, that were added without options from
    the configuration's text."""
    for change in changes:
        if change.action in ADDITIONS and change.options is None:
            unwritten.add((change.backend, change.name))
        elif change.action in ADDITIONS or change.action is Action.DELETE:
            unwritten.discard((change.backend, change.name))


def drained_names(servers: Iterable[ObservedServer]) -> set[str]:
    """The names of the servers in drain."""
    return {server.name for server in servers if server.held == "drain"}
