"""Follows one leader: polls its events, fetches the endpoints of the apps that they name."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from drove_gateway.drove.announcements import Announcements
from drove_gateway.drove.clock_offset import ClockOffset
from drove_gateway.drove.cursor import Cursor, changes
from drove_gateway.drove.events import Event, EventsPage
from drove_gateway.drove.leader import Ping, leader_of
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing, differing_apps
from drove_gateway.drove.metrics import DroveMetrics
from drove_gateway.drove.pace import BURST_SECONDS, PollPace, jittered, pause
from drove_gateway.drove.scope import Scope, scope_text
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.errors import ControllerDown, ControllerRefused, DroveError
from drove_gateway.model.namespace_view import SyncState
from drove_gateway.model.noticed import Noticed
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.model.wording import first_and_more

# Statuses that every other call would get as well: not the leader, wrong credentials, no right.
_FOR_EVERY_CALL = frozenset({400, 401, 403})

_APPS_SHOWN = 20


class ControllerApi(Protocol):
    """A controller that can be asked; `client.Controller` says what each call does."""

    @property
    def url(self) -> str: ...

    async def ping(self) -> Ping: ...

    async def events(self, last_sync: int) -> EventsPage: ...

    async def endpoints(self, decoder: EndpointsDecoder) -> EndpointsListing: ...

    async def endpoints_of(
        self, names: frozenset[str], decoder: EndpointsDecoder
    ) -> tuple[EndpointsListing | None, bool]: ...


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
    accept: Callable[[Snapshot], Awaitable[bool]]
    pace: PollPace
    around: Clock
    metrics: DroveMetrics
    log: EventLog


class Follower:
    """Polls `controller` for as long as it leads. `took_over` says that it has just become leader.

    `report` gets the result of each poll, `call_ping` is called when a poll failed. `before` and
    `announcements` are what the follower of the previous leader left.
    """

    def __init__(
        self,
        shared: FollowerContext,
        controller: ControllerApi,
        *,
        took_over: bool,
        before: SyncState,
        announcements: Announcements,
        report: Callable[[SyncState], None],
        call_ping: Callable[[], None],
    ) -> None:
        self._shared = shared
        self._controller = controller
        self._leader = leader_of(controller.url)
        self._report = report
        self._call_ping = call_ping
        self._sync = before
        self._listing: EndpointsListing | None = None
        self._snapshot: Snapshot | None = None
        self._woken = asyncio.Event()
        self._failures = 0
        self._filters_apps = True
        self._offset = ClockOffset()
        self._noticed: Noticed | None = None
        self.announcements = announcements
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
        clock = self._shared.around.clock
        while True:
            started = clock()
            await self._poll()
            rest = self._rest(took=clock() - started)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(rest):
                    await self._woken.wait()

    def _rest(self, *, took: float) -> float:
        """Return the seconds until the next poll."""
        around, cursor = self._shared.around, self._cursor
        now = around.clock()
        bursting = now < cursor.changed_at + BURST_SECONDS and not cursor.is_settling(now)
        pace, failures = self._shared.pace, self._failures
        interval = pace.interval(bursting=bursting, took=took, failures=failures)
        return pause(interval, took=took, failures=failures, chance=around.random())

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
        """Read the events. A list that cannot be read is a change that cannot be excluded."""
        metrics, name = self._shared.metrics, self._shared.namespace
        clock, wall = self._shared.around.clock, self._shared.around.wall
        started, requested = clock(), wall()
        try:
            page = await self._controller.events(self._cursor.last_sync)
        except DroveError as error:
            metrics.drove_stream_errors(name)
            self._shared.log.write(
                LogEvent.EVENTS_POLL_FAILED,
                controller=self._leader.endpoint,
                error=str(error),
                took_ms=round((clock() - started) * 1000, 1),
            )
            if _is_for_every_call(error):
                raise
            self._cursor = self._cursor.owing(clock())
            return error
        if page.clock is not None:
            self._offset = self._offset.narrowed(page.clock / 1000, requested, wall())
        self._hear(page)
        self._shared.log.write(
            LogEvent.EVENTS_POLLED,
            controller=self._leader.endpoint,
            events=len(page.events),
            last_sync=self._cursor.last_sync,
            took_ms=round((clock() - started) * 1000, 1),
        )
        return None

    def _hear(self, page: EventsPage) -> None:
        before, now = self._cursor, self._shared.around.clock()
        fresh = before.fresh(page)
        if fresh:
            self._shared.metrics.drove_events_received(self._shared.namespace, len(fresh))
        self._cursor = before.looked(page, now)
        # Of the hour before the first look it is not known which leader recovered its apps when.
        settling = before.seen is None or self._cursor.is_settling(now)
        self.announcements = self.announcements.heard(fresh, now, settling=settling)
        if before.seen is not None:
            self._notice(changes(fresh), now)

    def _notice(self, events: Sequence[Event], now: float) -> None:
        """Measure how late the oldest of these events was noticed."""
        times = [event.time for event in events if event.time > 0]
        if times:
            wall = self._shared.around.wall()
            after = self._offset.seconds_since(min(times) / 1000, wall)
            # An earlier change that was not fetched yet is the slowest.
            self._noticed = self._noticed or Noticed(now, after)
            if after is not None:
                self._shared.metrics.drove_notice_duration_seconds(self._shared.namespace, after)

    async def _fetch(self) -> None:
        metrics, name = self._shared.metrics, self._shared.namespace
        around = self._shared.around
        started = around.clock()
        scope, is_audit = self._cursor.scope(started), self._cursor.is_audit(started)
        try:
            listing = await self._request(scope)
        except DroveError:
            metrics.drove_app_sync_failed(name)
            raise
        if is_audit:
            self._compare(listing)
        self._listing = listing
        settling = self._cursor.is_settling(started)
        noticed, self._noticed = self._noticed or Noticed(started), None
        accepted = await self._shared.accept(self._snapshot_of(listing, noticed, settling=settling))
        took = around.clock() - started
        metrics.drove_app_refresh_duration(name, took)
        self._shared.log.write(
            LogEvent.ENDPOINTS_FETCHED,
            controller=self._leader.endpoint,
            scope=scope_text(scope),
            apps=len(listing.apps),
            accepted=accepted,
            took_ms=round(took * 1000, 1),
        )
        self._settle(accepted=accepted, started=started, settling=settling)

    async def _request(self, scope: Scope) -> EndpointsListing:
        """Fetch the apps of `scope`; everything where that is not certain to be enough."""
        if scope is not None and self._filters_apps and self._listing is not None:
            listing, ignored = await self._controller.endpoints_of(scope, self._shared.decoder)
            if ignored:
                self._filters_apps = False
                self._shared.log.write(
                    LogEvent.APP_FILTER_IGNORED, controller=self._leader.endpoint
                )
            if listing is not None:
                return listing
        return await self._controller.endpoints(self._shared.decoder)

    def _settle(self, *, accepted: bool, started: float, settling: bool) -> None:
        around = self._shared.around
        if accepted:
            refresh_in = jittered(self._shared.pace.full_refresh, around.random())
            self._cursor = self._cursor.accepted(started, started + refresh_in)
            self.announcements = self.announcements.accepted(started)
        else:
            self._cursor = self._cursor.refused(started)
        self._sync = SyncState(
            last_sync=around.wall() if accepted else self._sync.last_sync,
            last_error=self._sync.last_error,
            syncing=not accepted,
            held=not accepted,
            settling=settling,
        )

    def _compare(self, listing: EndpointsListing) -> None:
        """Report what changed without an event; then the events are read from the start again."""
        if self._listing is None:
            return
        differing = differing_apps(self._listing, listing)
        if not differing:
            return
        self._shared.metrics.drove_audit_differences(self._shared.namespace, len(differing))
        self._shared.log.write(
            LogEvent.UNANNOUNCED_CHANGES_FETCHED,
            controller=self._leader.endpoint,
            apps=first_and_more(differing, _APPS_SHOWN, separator=","),
            count=len(differing),
        )
        self._cursor = self._cursor.reread()

    def _snapshot_of(
        self, listing: EndpointsListing, noticed: Noticed, *, settling: bool
    ) -> Snapshot:
        until = self._cursor.settling_until if settling else 0.0
        snapshot = Snapshot(
            namespace=self._shared.namespace,
            leader=self._leader,
            apps=listing.apps,
            rejected=listing.rejected,
            settling_until=until,
            announced=self.announcements.announced,
            noticed=noticed,
        )
        known = self._snapshot
        if known is None or not _same(known, snapshot):
            self._snapshot = known = snapshot
        return known

    def _conclude(self, problem: DroveError | None) -> None:
        before, error = self._sync.last_error, str(problem or "")
        self._failures = self._failures + 1 if problem else 0
        syncing = self._sync.syncing or self._cursor.is_due(self._shared.around.clock())
        self._sync = msgspec.structs.replace(self._sync, last_error=error, syncing=syncing)
        if error and error != before:
            self._shared.log.write(LogEvent.SYNC_FAILED, error=error)
        elif before and not error:
            self._shared.log.write(LogEvent.SYNC_RESTORED, controller=self._leader.endpoint)
        self._report(self._sync)
        if problem:
            self._call_ping()


def _same(known: Snapshot, snapshot: Snapshot) -> bool:
    return (
        known.apps is snapshot.apps
        and known.rejected == snapshot.rejected
        and known.settling_until == snapshot.settling_until
        and known.announced == snapshot.announced
    )


def _is_for_every_call(error: DroveError) -> bool:
    if isinstance(error, ControllerRefused):
        return error.status in _FOR_EVERY_CALL
    return isinstance(error, ControllerDown)
