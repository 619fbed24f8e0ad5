"""What the parts of the gateway report while they run: applies, progress, the stored state."""

from typing import Literal

import msgspec

from drove_gateway.model.plan import Durations, Step

ReconcilerState = Literal[
    "waiting", "idle", "collecting", "applying", "pacing", "held back", "retrying"
]


STAGES_BEFORE = ("noticed", "fetched", "planned")
"""Where the time of a change goes before its apply begins."""


class ApplyRecord(msgspec.Struct, frozen=True):
    """One time the reconciler went to the proxy, kept in the history.

    `at` is when it began, in Unix seconds; `seconds` are durations by stage, `took` the whole.
    `triggers` say what woke the reconciler, `reasons` why a reload was needed (empty: none was).
    `reloaded` says that the proxy loaded a new configuration. `waited` is how long the first change
    waited for others and for the plan; None for a retry. `noticed` is from the change in Drove to
    the poll that showed it, `fetched` from there to the accepted response, each of the slowest
    change; None where no response is the cause, or the clocks do not allow to say.
    `failed` names vhosts that could not be brought up to date; `error` is empty when it worked.
    `reload_waits` says that only servers were changed, and that the reload comes when it may.
    The history keeps the first steps and failures of a large apply; `left_out` counts the others.
    """

    at: float
    took: float
    triggers: tuple[str, ...]
    reasons: tuple[str, ...]
    steps: tuple[Step, ...]
    failed: tuple[tuple[str, str], ...] = ()
    seconds: Durations = ()
    error: str = ""
    left_out: int = 0
    reload_waits: bool = False
    reloaded: bool = False
    waited: float | None = None
    noticed: float | None = None
    fetched: float | None = None

    @property
    def stages(self) -> tuple[tuple[str, float], ...]:
        """Where the time went, from the change in Drove on: (stage, seconds), each stage once."""
        before = zip(STAGES_BEFORE, (self.noticed, self.fetched, self.waited), strict=True)
        totals = {stage: seconds for stage, seconds in before if seconds is not None}
        for stage, seconds in self.seconds:
            totals[stage.value] = totals.get(stage.value, 0.0) + seconds
        return tuple(totals.items())

    @property
    def serving(self) -> float | None:
        """Seconds from the slowest change in Drove until it served; None where that failed or is
        not known."""
        if self.error or self.reload_waits or self.noticed is None:
            return None
        return self.noticed + (self.fetched or 0.0) + (self.waited or 0.0) + self.took


class Happening(msgspec.Struct, frozen=True):
    """Something that explains later applies, for the time line: at which Unix time, of which
    `kind`, and what happened."""

    at: float
    kind: Literal["leader", "hold", "announced"]
    text: str


class Progress(msgspec.Struct, frozen=True):
    """What the reconciler is doing: "waiting" for a first topology, "idle", "collecting",
    "applying", "pacing" (a reload waits for its interval), "held back" (the proxy is being
    restarted) or "retrying" (after `error`).

    `due` is the Unix time of the next try, None where none is planned.
    """

    state: ReconcilerState = "waiting"
    due: float | None = None
    attempts: int = 0
    error: str = ""


class StoredState(msgspec.Struct, frozen=True):
    """The state on disk: its file (empty: none is kept), and since when it is as it is.

    `written` is the Unix time of the last write of this run. `problem` says why it cannot be
    written, `set_aside` where a file went that could not be used at the start.
    """

    path: str = ""
    written: float | None = None
    problem: str = ""
    set_aside: str = ""
