"""What a new leader knows while it recovers: pure values, in the order real controllers show them.

Recorded on real controllers (v1.33.3): the new leader lists `[]` for 0.1 to 0.5 seconds, then whole
apps one after the other for 0.1 to 1.3 seconds, in no order of their names. Where reports are older
than a minute, it lists every app with `hosts: []` for 4 to 15 seconds, then host after host.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from zlib import crc32

Stage: TypeAlias = Literal["empty", "partial", "no-hosts", "done"]

REAL_SECONDS = 1.5
"""How long a recorded takeover takes."""

STALE_AFTER_SECONDS = 60.0
"""Older reports of instances do not count. A leader that follows a longer gap lists no hosts."""

NO_HOSTS_SECONDS = 8.0
HOSTS_RETURN_SECONDS = 4.0
TWICE_AS_MANY_SECONDS = 6.0

_EMPTY_SHARE = 1 / 3
_EXECUTORS_SHARE = 1 / 3
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Recovery:
    """What the leader does not know yet: nothing, unless said otherwise.

    `missing_apps` are not listed; `silent` instances have not reported and are not listed either.
    `executors` says whether the executors have found the leader.
    """

    missing_apps: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    executors: bool = True

    @property
    def done(self) -> bool:
        """Whether the leader knows the whole cluster."""
        return not self.missing_apps and not self.silent and self.executors


Step: TypeAlias = tuple[float, Recovery]
"""Seconds after the step before, and what the leader knows from then on."""


def at_stage(stage: Stage, apps: Sequence[str], instances: Sequence[str]) -> Recovery:
    """Return a fixed stage: no apps, every second app, every app without hosts, or everything."""
    match stage:
        case "empty":
            return Recovery(missing_apps=frozenset(apps), executors=False)
        case "partial":
            return Recovery(missing_apps=frozenset(apps[1::2]))
        case "no-hosts":
            return Recovery(silent=frozenset(instances))
        case "done":
            return Recovery()


def apps_return(
    apps: Sequence[str], seconds: float, silent: frozenset[str] = frozenset()
) -> Iterator[Step]:
    """Return the steps from an empty list to all apps, within `seconds`."""
    order = _in_any_order(apps)
    yield 0.0, Recovery(frozenset(order), silent, executors=False)
    steps = max(1, min(len(order), _STEPS))
    pause = seconds * _EMPTY_SHARE
    for step in range(1, steps + 1):
        known = len(order) * step // steps
        executors = step >= steps * _EXECUTORS_SHARE
        yield pause, Recovery(frozenset(order[known:]), silent, executors)
        pause = seconds * (1 - _EMPTY_SHARE) / max(1, steps - 1)


def hosts_return(instances: Sequence[str], seconds: float) -> Iterator[Step]:
    """Return the steps from no hosts to all hosts, within `seconds`."""
    order = _in_any_order(instances)
    steps = max(1, min(len(order), _STEPS))
    for step in range(1, steps + 1):
        yield seconds / steps, Recovery(silent=frozenset(order[len(order) * step // steps :]))


def _in_any_order(names: Sequence[str]) -> list[str]:
    """Return the names in an order that is not theirs, and the same each time."""
    return sorted(names, key=lambda name: crc32(name.encode(errors="surrogatepass")))
