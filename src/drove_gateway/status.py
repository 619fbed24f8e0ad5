"""What the gateway knows and did, as one frozen value that every view is made from."""

import msgspec

from drove_gateway.plan import Step


class Section(msgspec.Struct, frozen=True, rename={"healthy": "Healthy", "message": "Message"}):
    """One section of `/v1/health`, as the original shows it."""

    healthy: bool = True
    message: str = "OK"


PENDING = Section(healthy=False, message="pending first check")
NO_RUNTIME_API = Section(message="OK: Not in use, full reloads are enabled")


class ProxyHealth(msgspec.Struct, frozen=True):
    """What a proxy driver says of itself, in the sections of `/v1/health`."""

    config: Section = PENDING
    template: Section = PENDING
    upstream_updates: Section = NO_RUNTIME_API
    resolver: Section = Section()


class Applied(msgspec.Struct, frozen=True):
    """One time the reconciler went to the proxy, kept in the history.

    `at` is when it began, in Unix seconds; `seconds` are durations by stage, `took` the whole.
    `triggers` say what woke the reconciler, `reasons` why a reload was needed (empty: none was).
    `failed` names vhosts that could not be brought up to date; `error` is empty when it worked.
    """

    at: float
    took: float
    triggers: tuple[str, ...]
    reasons: tuple[str, ...]
    steps: tuple[Step, ...]
    failed: tuple[tuple[str, str], ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()
    error: str = ""


class Progress(msgspec.Struct, frozen=True):
    """Where the reconciler stands: "waiting" for a first topology, "idle", "collecting",
    "applying", "pacing" (a reload waits for its interval) or "retrying" (after `error`).

    `due` is the Unix time of the next try, None where none is planned.
    """

    state: str = "waiting"
    due: float | None = None
    attempts: int = 0
    error: str = ""
