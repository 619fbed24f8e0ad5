"""Keeps alive what a proxy needs to serve an app, so that traffic could be kept at every moment.

Faults in a row can keep the gateway from its cluster or its proxy for any time. A proxy that knows
only instances that the cluster has killed meanwhile can serve nobody, whatever the gateway does.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.benches.processes import Bench
from tests.traffic import Tally

from drove_gateway.simulator.workload import Instance

# Longer than old workers of NGINX keep connections, and than the gateway needs to store its state.
_SETTLED_SECONDS = 12.0
# Whatever happens, the gateway has brought the proxy up to date by then.
MOST_STALE_SECONDS = 90.0


class Keepable:
    """Decides when unlisted instances of an app end: once `tally` has shown for a while that the
    proxy serves an instance that is still listed, or after `MOST_STALE_SECONDS`."""

    def __init__(self, bench: Bench, app: str, tally: Tally) -> None:
        self._bench = bench
        self._app = app
        self._tally = tally
        self._looked: set[str] = set()
        self._reached: dict[str, float] = {}
        self._stopped: dict[str, float] = {}

    def lives_on(self, instance: Instance) -> bool:
        """Whether the proxy may have no other instance of the app that lives."""
        if not instance.app_id.startswith(f"{self._app}-"):
            return False
        now = time.monotonic()
        self._look(now)
        stopped = self._stopped.setdefault(instance.instance_id, now)
        known = (self._reached.get(listed, now) for listed in self._listed())
        is_known = any(since + _SETTLED_SECONDS < now for since in known)
        return not is_known and now < stopped + MOST_STALE_SECONDS

    def _look(self, now: float) -> None:
        for body in self._tally.answers.keys() - self._looked:
            self._looked.add(body)
            self._reached[json.loads(body)["instanceId"]] = now

    def _listed(self) -> Iterator[str]:
        for app in self._bench.cluster.cluster.apps.values():
            if app.name == self._app:
                yield from (host.instance_id for host in app.hosts())


@contextmanager
def keepable(bench: Bench, app: str, tally: Tally) -> Iterator[None]:
    """Keep alive in the block what the proxy needs to serve `app`, whose requests `tally` has."""
    fleet = bench.cluster.fleet
    before, fleet.lives_on = fleet.lives_on, Keepable(bench, app, tally).lives_on
    try:
        yield
    finally:
        fleet.lives_on = before
