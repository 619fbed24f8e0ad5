"""Takeovers over time: a new leader learns what runs, as real controllers do."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.operations import Operations
from drove_gateway.simulator.recovery import (
    HOSTS_RETURN_SECONDS,
    NO_HOSTS_SECONDS,
    REAL_SECONDS,
    TWICE_AS_MANY_SECONDS,
    Step,
    apps_return,
    hosts_return,
)
from drove_gateway.simulator.workload import AppVersion


class Takeovers:
    """Makes controllers leaders and lets them recover in the background."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._cluster = operations.cluster

    def lead(self, controller: int, recovering: float, *, acquired: bool = True) -> None:
        """Let the controller lead. It knows the whole cluster after `recovering` seconds.

        `acquired` says whether its events begin with LEADERSHIP_ACQUIRED, which real ones do not
        after the leader was killed.
        """
        if not recovering:
            self._cluster.lead(controller, acquired=acquired)
            return
        steps = apps_return(list(self._cluster.apps), recovering)
        self._begin(controller, steps, acquired=acquired)
        self._operations.fleet.spawn(self._follow(steps, self._cluster.term))

    def lead_after_outage(self, controller: int, scale: float) -> None:
        """Let the controller lead after so long a gap that no report counts any more.

        Durations are the recorded ones, times `scale`.
        """
        silent = self._running()
        steps = apps_return(list(self._cluster.apps), REAL_SECONDS * scale, silent)
        self._begin(controller, steps, acquired=False)
        self._operations.fleet.spawn(self._after_outage(steps, silent, scale, self._cluster.term))

    def _begin(self, controller: int, steps: Iterator[Step], *, acquired: bool) -> None:
        _, first = next(steps)
        self._cluster.lead(controller, first, acquired=acquired)

    async def _after_outage(
        self, steps: Iterator[Step], silent: frozenset[str], scale: float, term: int
    ) -> None:
        await self._follow(steps, term)
        if self._cluster.term != term:
            return
        apps = [app for app in self._cluster.apps.values() if app.required]
        for app in apps:
            self._cluster.set_app_state(app, "OUTAGE_DETECTED")
        await asyncio.sleep(NO_HOSTS_SECONDS * scale)
        seconds = HOSTS_RETURN_SECONDS * scale
        for number, app in enumerate(apps):
            delay = seconds * number / len(apps)
            self._operations.fleet.spawn(self._start_again(app, delay, scale))
        await self._follow(hosts_return(sorted(silent), seconds), term)

    async def _follow(self, steps: Iterator[Step], term: int) -> None:
        for pause, known in steps:
            await asyncio.sleep(pause)
            if self._cluster.term != term:
                return
            self._cluster.recover(known)

    async def _start_again(self, app: AppVersion, delay: float, scale: float) -> None:
        """Start what the leader believes to be missing; the old instances return meanwhile."""
        await asyncio.sleep(delay)
        with suppress(SimulatorError):
            await self._operations.start_again(
                app.app_id, surplus_for=(HOSTS_RETURN_SECONDS + TWICE_AS_MANY_SECONDS) * scale
            )

    def _running(self) -> frozenset[str]:
        apps = self._cluster.apps.values()
        return frozenset(each.instance_id for app in apps for each in app.healthy())
