"""Follows one leader: polls its events, fetches endpoints when they may have changed."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import msgspec
from structlog.typing import FilteringBoundLogger

from drove_gateway.drove.cursor import Cursor
from drove_gateway.drove.leader import Ping, leader_of
from drove_gateway.drove.metrics import DroveMetrics
from drove_gateway.drove.pace import PollPace, jittered, pause
from drove_gateway.drove.wire import EndpointsDecoder, EndpointsListing, EventsSummary
from drove_gateway.model.errors import ControllerDown, ControllerRefused, DroveError
from drove_gateway.model.namespace_view import SyncState
from drove_gateway.model.vocabulary import Snapshot

# Statuses that every other call would get as well: not the leader, wrong credentials, no right.
_FOR_EVERY_CALL = frozenset({400, 401, 403})


class ControllerApi(Protocol):
    """A controller that can be asked; `client.Controller` says what each call does."""

    @property
    def url(self) -> str: ...

    async def ping(self) -> Ping: ...

    async def events_summary(self, last_sync_time: int) -> EventsSummary: ...

    async def endpoints(self, decoder: EndpointsDecoder) -> EndpointsListing: ...


class Clock(msgspec.Struct, frozen=True):
    """Time and chance: a monotonic clock, Unix time, and a number from 0 to 1."""

    clock: Callable[[], float]
    wall: Callable[[], float]
    random: Callable[[], float]


class FollowerContext(msgspec.Struct, frozen=True):
    """What the followers of a namespace's leaders have in common, one after the other.

    `accept` gets each fetched response; when it returns False, the cursor stays and the same is
    requested again. `decoder` lives as long as the namespace, so that a new leader's response is
    compared with the old leader's.
    """

    namespace: str
    decoder: EndpointsDecoder
    accept: Callable[[Snapshot], bool]
    pace: PollPace
    around: Clock
    metrics: DroveMetrics
    log: FilteringBoundLogger


class Follower:
    """Polls `controller` for as long as it leads. `took_over` says that it has just become leader.

    `report` gets the result of each poll, `call_ping` is called when a poll failed.
    """

    def __init__(
        self,
        shared: FollowerContext,
        controller: ControllerApi,
        *,
        took_over: bool,
        before: SyncState,
        report: Callable[[SyncState], None],
        call_ping: Callable[[], None],
    ) -> None:
        self._shared = shared
        self._controller = controller
        self._leader = leader_of(controller.url)
        self._report = report
        self._call_ping = call_ping
        self._sync = before
        self._snapshot: Snapshot | None = None
        self._woken = asyncio.Event()
        self._failures = 0
        now = shared.around.clock()
        self._cursor = Cursor().taken_over(now) if took_over else Cursor().found(now)

    @property
    def failing(self) -> bool:
        """Whether the last poll failed."""
        return self._failures > 0

    def wake(self) -> None:
        """Fetch the endpoints now, whatever the events say."""
        self._woken.set()

    async def run(self) -> None:
        """Poll until cancelled. Neither a bad response nor a missing response makes it raise."""
        around = self._shared.around
        while True:
            started = around.clock()
            await self._poll()
            rest = pause(
                self._shared.pace.events,
                took=around.clock() - started,
                failures=self._failures,
                chance=around.random(),
            )
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._woken.wait()

    async def _poll(self) -> None:
        clock = self._shared.around.clock
        if self._woken.is_set():
            self._woken.clear()
            self._cursor = self._cursor.owing(clock())
        try:
            problem = await self._look()
            if self._cursor.is_due(clock()):
                await self._fetch()
        except DroveError as error:
            problem = error
        self._conclude(problem)

    async def _look(self) -> DroveError | None:
        """Read the events. A summary that cannot be read is a change that cannot be excluded."""
        metrics, name = self._shared.metrics, self._shared.namespace
        clock = self._shared.around.clock
        try:
            summary = await self._controller.events_summary(self._cursor.last_sync)
        except DroveError as error:
            metrics.drove_stream_errors(name)
            if _is_for_every_call(error):
                raise
            self._cursor = self._cursor.owing(clock())
            return error
        if received := sum(self._cursor.fresh(summary).values()):
            metrics.drove_events_received(name, received)
        self._cursor = self._cursor.looked(summary, clock())
        return None

    async def _fetch(self) -> None:
        metrics, name = self._shared.metrics, self._shared.namespace
        around = self._shared.around
        started = around.clock()
        try:
            listing = await self._controller.endpoints(self._shared.decoder)
        except DroveError:
            metrics.drove_app_sync_failed(name)
            raise
        settling = self._cursor.is_settling(started)
        accepted = self._shared.accept(self._snapshot_of(listing, settling=settling))
        metrics.drove_app_refresh_duration(name, around.clock() - started)
        if accepted:
            refresh_in = jittered(self._shared.pace.full_refresh, around.random())
            self._cursor = self._cursor.accepted(started, started + refresh_in)
        else:
            self._cursor = self._cursor.refused(started)
        self._sync = SyncState(
            last_sync=around.wall() if accepted else self._sync.last_sync,
            last_error=self._sync.last_error,
            syncing=not accepted,
            held=not accepted,
            settling=settling,
        )

    def _snapshot_of(self, listing: EndpointsListing, *, settling: bool) -> Snapshot:
        snapshot = self._snapshot
        until = self._cursor.settling_until if settling else 0.0
        if (
            snapshot is None
            or snapshot.apps is not listing.apps
            or snapshot.settling_until != until
        ):
            self._snapshot = snapshot = Snapshot(
                namespace=self._shared.namespace,
                leader=self._leader,
                apps=listing.apps,
                rejected=listing.rejected,
                settling_until=until,
            )
        return snapshot

    def _conclude(self, problem: DroveError | None) -> None:
        before, error = self._sync.last_error, str(problem or "")
        self._failures = self._failures + 1 if problem else 0
        syncing = self._sync.syncing or self._cursor.is_due(self._shared.around.clock())
        self._sync = msgspec.structs.replace(self._sync, last_error=error, syncing=syncing)
        if error and error != before:
            self._shared.log.warning("sync failed, keeping the last known apps", error=error)
        elif before and not error:
            self._shared.log.info("sync works again", controller=self._leader.endpoint)
        self._report(self._sync)
        if problem:
            self._call_ping()


def _is_for_every_call(error: DroveError) -> bool:
    if isinstance(error, ControllerRefused):
        return error.status in _FOR_EVERY_CALL
    return isinstance(error, ControllerDown)
