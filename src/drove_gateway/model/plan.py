"""A plan is a value: what will be done to the proxy, in order, and why.

Planners are pure. Each kind of proxy has its own steps; all of them end as `Step`, so that a plan
can be printed, tested, logged, kept in the history, shown, and applied.
"""

from enum import StrEnum

import msgspec

from drove_gateway.model.vocabulary import Topology


class ApplyStage(StrEnum):
    """Part of an apply whose duration is measured, in the usual order.

    `SERVERS` changes servers over a runtime API; `RENDER` to `PROVE` bring a new configuration
    (`BLAME` searches for the vhosts that the proxy refuses); `COMPARE` compares the servers again
    after a reload.
    """

    SERVERS = "servers"
    RENDER = "render"
    WRITE = "write"
    CHECK = "check"
    BLAME = "blame"
    SWAP = "swap"
    RELOAD = "reload"
    PROVE = "prove"
    COMPARE = "compare"


Durations = tuple[tuple[ApplyStage, float], ...]
"""Seconds by stage, in the order in which the stages began. A stage may occur twice."""


class Step(msgspec.Struct, frozen=True):
    """Something to do: `action` ("reload", "add server", "drain server", …), to what, and why."""

    action: str
    subject: str
    reason: str


class Plan(msgspec.Struct, frozen=True):
    """The way from what is applied to `desired`.

    `reload` has the reasons for which the proxy needs a new configuration; it is empty where the
    runtime API is enough. `servers` are the runtime steps, known or expected.
    """

    desired: Topology
    reload: tuple[str, ...] = ()
    servers: tuple[Step, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.reload and not self.servers

    def without_reload(self) -> "Plan":
        """The part that can be done now while the pace does not yet allow a reload."""
        return msgspec.structs.replace(self, reload=())


class Outcome(msgspec.Struct, frozen=True):
    """The result of applying a plan.

    `failed` names vhosts that could not be brought up to date, with the reason; they are retried
    and the rest stays applied. `reloaded` says that the proxy loaded a new configuration.
    """

    steps: tuple[Step, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    seconds: Durations = ()
    reloaded: bool = False
