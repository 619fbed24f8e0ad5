"""A plan is a value: what will be done to the proxy, in order, and why.

Planners are pure. Each proxy has its own steps; they all end as `Step`, so that a plan can be
printed, tested, logged, kept in the history, shown, and applied.
"""

import msgspec

from drove_gateway.model.vocabulary import Topology


class Step(msgspec.Struct, frozen=True):
    """One thing to do: `action` ("reload", "add server", "drain server", …), to what, and why."""

    action: str
    subject: str
    reason: str


class Plan(msgspec.Struct, frozen=True):
    """The way from what is applied to `desired`.

    `reload` has the reasons for which the proxy needs a new configuration generation; it is empty
    where the runtime API is enough. `servers` are the runtime steps, known or expected.
    """

    desired: Topology
    reload: tuple[str, ...] = ()
    servers: tuple[Step, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.reload and not self.servers

    def without_reload(self) -> "Plan":
        """What can be done now while the pace does not yet allow a reload."""
        return msgspec.structs.replace(self, reload=())


class Outcome(msgspec.Struct, frozen=True):
    """What applying a plan came to.

    `failed` names vhosts that could not be brought up to date, with the reason; they are retried
    and the rest stands. `seconds` are durations by stage ("render", "check", "reload", "prove",
    "servers", …).
    """

    steps: tuple[Step, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
