"""Turns what the gateway's parts report into the published status, the metrics and the log."""

import asyncio
import time
from collections.abc import Callable, Mapping

from drove_gateway.acceptance.acceptance import AcceptanceReport
from drove_gateway.daemon.acceptance_log import AcceptanceLog
from drove_gateway.log.event_log import EventLog
from drove_gateway.metrics import Metrics
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.records import ApplyRecord, Happening, Progress, StoredState
from drove_gateway.model.workers import ReloadPressure
from drove_gateway.status import status
from drove_gateway.status.happenings import happenings
from drove_gateway.status.publisher import StatusPublisher
from drove_gateway.status.status import Status


class StatusReports:
    """Takes the reports of one gateway's parts; each method is a part's callback.

    `reloaded` is set after each reload of the proxy. `happened` gets what the time line shows
    beside applies.
    """

    def __init__(
        self,
        publisher: StatusPublisher,
        metrics: Metrics,
        log: EventLog,
        happened: Callable[[Happening], None],
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.reloaded = asyncio.Event()
        self._happened = happened
        self._wall = wall
        self._publisher = publisher
        self._metrics = metrics
        self._acceptance_log = AcceptanceLog(log)

    def namespace(self, view: NamespaceView) -> None:
        """A namespace's controllers, leader or apps changed."""
        before = self._publisher.current
        self._publisher.publish(status.with_namespace, view)
        self._tell(before)

    def restored(self, restored: Mapping[str, float]) -> None:
        """These namespaces are served from the stored state."""
        self._publisher.publish(status.with_restored, restored)

    def accepted(self, report: AcceptanceReport) -> None:
        """A response was judged, or judged anew."""
        self._acceptance_log.published(report)
        if report.build is not self._publisher.current.built:
            self._metrics.built(report.build)
        before = self._publisher.current
        self._publisher.publish(status.with_built, report.build, report.held)
        self._tell(before)

    def absent(self, namespaces: frozenset[str]) -> None:
        """These namespaces are not waited for: no controller responds, and nothing is known."""
        self._publisher.publish(status.with_absent, namespaces)

    def progress(self, progress: Progress) -> None:
        """Publish the reconciler's progress."""
        self._publisher.publish(status.with_progress, progress)

    def reloads(self, pressure: ReloadPressure) -> None:
        """The proxy's workers were counted."""
        self._publisher.publish(status.with_reloads, pressure)

    def record(self, record: ApplyRecord) -> None:
        """The reconciler finished an attempt."""
        self._publisher.publish(status.with_record, record)
        if record.reloaded:
            self.reloaded.set()

    def stored(self, stored: StoredState) -> None:
        """The state on disk was read or written, or could not be."""
        self._publisher.publish(status.with_stored, stored)

    def _tell(self, before: Status) -> None:
        for event in happenings(before, self._publisher.current, self._wall()):
            self._happened(event)
