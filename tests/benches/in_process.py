"""The test bench in process: a driver and the reconciler before it, in the test's event loop.

What the driver drives is real (HAProxy, NGINX) or a stand-in (NGINX Plus). Nothing is collected
and no reload is delayed, so that a test sees each change at once.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Self

import structlog
from tests.waiting import until

from drove_gateway.log.event_log import EventLog
from drove_gateway.model.plan import Outcome
from drove_gateway.model.records import ApplyRecord, Progress
from drove_gateway.model.vocabulary import Topology
from drove_gateway.proxies.runtime.proxy import RuntimeProxy
from drove_gateway.reconciler.clock import SystemClock
from drove_gateway.reconciler.reconciler import Reconciler
from drove_gateway.reconciler.schedule import ApplyPace

# Of the reconciler's delays before it retries, which begin at 1 s.
_RETRY_FACTOR = 0.1


class CountingMetrics:
    """Counts calls of runtime APIs by operation and success, and the success of their batches."""

    def __init__(self) -> None:
        self.calls: Counter[tuple[str, bool]] = Counter()
        self.results: list[bool] = []
        self.reads: list[bool] = []

    def call(self, operation: str, ok: bool) -> None:
        self.calls[operation, ok] += 1

    def duration(self, ok: bool, seconds: float) -> None:
        assert seconds >= 0
        self.results.append(ok)

    def read_duration(self, ok: bool, seconds: float) -> None:
        assert seconds >= 0
        self.reads.append(ok)

    def reload_succeeded(self, seconds: float) -> None: ...
    def reload_failed(self) -> None: ...
    def template_rendered(self, ok: bool, seconds: float) -> None: ...
    def applied(self, record: ApplyRecord) -> None: ...


class InProcessBench:
    """A driver, the reconciler before it, and a record of every apply.

    `apply` works alone; `desire` and `demand` need the loops that `begin` starts.
    """

    def __init__(self, driver: RuntimeProxy, metrics: CountingMetrics) -> None:
        self.driver = driver
        self.metrics = metrics
        self.desired = Topology(apps={}, namespaces={})
        self.records: list[ApplyRecord] = []
        self._requested = False
        self._progress = Progress()
        self._task: asyncio.Task[None] | None = None
        self._reconciler = Reconciler(
            driver,
            pace=ApplyPace(quiet=0.0, longest=0.0, between_reloads=0.0),
            clock=SystemClock(time.monotonic, time.time, lambda: _RETRY_FACTOR),
            log=EventLog(structlog.get_logger()),
            metrics=metrics,
            publish=self._publish,
            record=self.records.append,
        )

    async def apply(self, desired: Topology, *demands: str) -> Outcome:
        """Plan and apply once, without the loops."""
        return await self.driver.apply(self.driver.plan(desired, demands))

    def begin(self) -> None:
        """Start the reconciler and the driver's housekeeping."""
        self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Stop both at once, as a killed gateway does. The proxy stays as it is."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Run the reconciler and the driver's housekeeping until the block ends."""
        self.begin()
        try:
            yield self
        finally:
            await self.end()

    def desire(self, topology: Topology, trigger: str = "the topology changed") -> None:
        """Make `topology` the desired state."""
        self.desired = topology
        self._requested = True
        self._reconciler.desire(topology, trigger)

    def demand(self, reason: str) -> None:
        """Request a new configuration."""
        self._requested = True
        self._reconciler.demand(reason)

    def wake(self, trigger: str) -> None:
        """Let the reconciler plan again."""
        self._requested = True
        self._reconciler.wake(trigger)

    async def reach(self, topology: Topology, seconds: float = 20) -> None:
        """Desire `topology` and wait until the driver reports that it is reached."""
        self.desire(topology)
        await self.settled(seconds)

    async def settled(self, seconds: float = 20) -> None:
        """Wait until nothing is left to do and the driver is healthy."""
        await until(
            self.is_settled,
            seconds,
            lambda: f"not settled: {self._progress}, {self.driver.health()}, {self.errors[-1:]}",
        )

    def is_settled(self) -> bool:
        """Whether nothing is left to do and the driver is healthy."""
        return (
            not self._requested
            and self._progress.state == "idle"
            and self.driver.plan(self.desired).empty
            and self.driver.health().upstream_updates.healthy
        )

    @property
    def reloads(self) -> list[str]:
        """The reason of every reload."""
        steps = [step for record in self.records for step in record.steps]
        return [step.reason for step in steps if step.action == "reload"]

    @property
    def errors(self) -> list[str]:
        """The message of every apply that failed as a whole."""
        return [record.error for record in self.records if record.error]

    @property
    def updates(self) -> tuple[bool, str]:
        """The health section of updates over the runtime API."""
        section = self.driver.health().upstream_updates
        return section.healthy, section.message

    def _publish(self, progress: Progress) -> None:
        self._progress = progress
        self._requested = False

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._reconciler.run())
            tasks.create_task(self.driver.run(self.wake))
