"""Watches a namespace: pings its controllers, follows the leader, reports what it sees."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from drove_gateway.drove.announcements import Announcements
from drove_gateway.drove.follower import Clock, ControllerApi, Follower, FollowerContext
from drove_gateway.drove.leader import (
    Leadership,
    Ping,
    Standing,
    follow,
    leader_of,
)
from drove_gateway.drove.listing import EndpointsDecoder
from drove_gateway.drove.metrics import DroveMetrics
from drove_gateway.drove.pace import PollPace, jittered
from drove_gateway.log.catalog import LogEvent
from drove_gateway.log.event_log import EventLog
from drove_gateway.model.namespace_view import EndpointView, NamespaceView, SyncState
from drove_gateway.model.vocabulary import Snapshot
from drove_gateway.model.wording import by_message

# How much longer than the leader another controller may take to respond to a ping. A controller
# whose machine is gone never responds, and must delay neither the start nor a fail-over.
_STRAGGLER_SECONDS = 0.5

_STRAGGLER = Ping(
    Standing.UNWELL, f"no response within {_STRAGGLER_SECONDS:g} s of the leader's", answered=False
)

_CANCEL_AGAIN_SECONDS = 0.5

# While nobody leads, changed reasons are logged no more often: they may alternate at every ping.
_REASONS_SECONDS = 10.0

REAL = Clock(clock=time.monotonic, wall=time.time, random=random.random)


class NamespaceWatch:
    """One namespace's controllers, in the configured order.

    `accept` gets every response of `/v1/endpoints` that could be read, the same object when nothing
    changed, and returns whether it was accepted: False keeps the cursor, and the same is requested
    again. `publish` gets the namespace's view whenever it changed. `failed` is called each time
    that the controllers were asked without success. All are called from the task that runs `run`,
    and must not raise.
    """

    def __init__(
        self,
        name: str,
        controllers: Sequence[ControllerApi],
        *,
        pace: PollPace,
        accept: Callable[[Snapshot], Awaitable[bool]],
        publish: Callable[[NamespaceView], None],
        failed: Callable[[], None] = lambda: None,
        metrics: DroveMetrics,
        log: EventLog,
        around: Clock = REAL,
    ) -> None:
        self._controllers = tuple(controllers)
        self._log = log.bind(namespace=name)
        self._shared = FollowerContext(
            namespace=name,
            decoder=EndpointsDecoder(name),
            accept=accept,
            pace=pace,
            around=around,
            metrics=metrics,
            log=self._log,
        )
        self._publish = publish
        self._failed = failed
        self._endpoints = tuple(EndpointView(controller.url) for controller in controllers)
        self._leadership = Leadership()
        self._sync = SyncState()
        self._announcements = Announcements()
        self._follower: Follower | None = None
        self._following: asyncio.Task[None] | None = None
        self._ping_now = asyncio.Event()
        self._view: NamespaceView | None = None
        self._leaderless: tuple[str, ...] = ()
        self._since = self._logged_at = 0.0
        self._leads_since: float | None = None

    @property
    def name(self) -> str:
        """The namespace's."""
        return self._shared.namespace

    def request_refresh(self) -> None:
        """Ping at once, and fetch the leader's endpoints whatever the events say."""
        self._ping_now.set()
        if self._follower:
            self._follower.wake()

    async def run(self) -> None:
        """Watch until cancelled. Neither a bad response nor a missing response makes it raise."""
        name, metrics = self._shared.namespace, self._shared.metrics
        metrics.configured_endpoints_total(name, len(self._controllers))
        self._show()
        async with asyncio.TaskGroup() as group:
            while True:
                started = self._shared.around.clock()
                await self._ping_all(group)
                await self._rest(started)

    async def _rest(self, started: float) -> None:
        around = self._shared.around
        interval = jittered(self._shared.pace.ping, around.random())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, started + interval - around.clock())):
                await self._ping_now.wait()

    async def _ping_all(self, group: asyncio.TaskGroup) -> None:
        self._ping_now.clear()
        pings = await _ping_each(self._controllers)
        self._count(pings)
        recovered = self._has_recovered(pings)
        before = self._leadership
        doubted = self._follower is not None and self._follower.failing
        self._leadership = follow(before, pings, doubted=doubted)
        self._endpoints = tuple(
            EndpointView(
                controller.url,
                ping.standing is Standing.LEADS,
                ping.message,
                stands_by=ping.standing is Standing.STANDS_BY,
                denied=ping.denied,
            )
            for controller, ping in zip(self._controllers, pings, strict=True)
        )
        self._log.write(LogEvent.CONTROLLERS_PINGED, pings=self._reasons())
        if (self._leadership.leader, self._leadership.term) != (before.leader, before.term):
            await self._change_leader(group)
        elif recovered and self._follower:
            self._follower.wake()
        self._log_leadership()
        if self._follower is None:
            self._shared.metrics.drove_stream_no_data_warnings(self._shared.namespace)
            self._failed()
        self._show()

    def _has_recovered(self, pings: Sequence[Ping]) -> bool:
        place = self._leadership.leader
        if place is None:
            return False
        return pings[place].standing is Standing.LEADS and not self._endpoints[place].healthy

    def _count(self, pings: Sequence[Ping]) -> None:
        name, metrics = self._shared.namespace, self._shared.metrics
        for ping in pings:
            if not ping.answered:
                metrics.endpoint_down_errors(name)
            elif ping.standing is not Standing.LEADS:
                metrics.endpoint_check_fails(name)
        healthy = sum(ping.standing is Standing.LEADS for ping in pings)
        metrics.healthy_endpoints_total(name, healthy)
        metrics.all_endpoints_down_errors(name, not healthy)

    async def _change_leader(self, group: asyncio.TaskGroup) -> None:
        if self._following:
            await _end(self._following)
        if self._follower:
            self._announcements = self._follower.announcements
        self._follower = self._following = None
        place = self._leadership.leader
        self._leads_since = None
        if place is None:
            return
        self._leads_since = self._shared.around.wall()
        controller = self._controllers[place]
        self._log.write(LogEvent.LEADER_FOLLOWED, controller=controller.url)
        self._follower = Follower(
            self._shared,
            controller,
            took_over=self._leadership.took_over,
            before=self._sync,
            announcements=self._announcements,
            report=self._hear,
            call_ping=self._ping_now.set,
        )
        self._following = group.create_task(self._follower.run())

    def _hear(self, sync: SyncState) -> None:
        self._sync = sync
        self._show()
        if sync.last_error:
            self._failed()

    def _show(self) -> None:
        view = self._seen()
        if view != self._view:
            self._view = view
            self._publish(view)

    def _seen(self) -> NamespaceView:
        place = self._leadership.leader
        leads = place is not None
        return NamespaceView(
            name=self._shared.namespace,
            endpoints=self._endpoints,
            leader=leader_of(self._controllers[place].url) if place is not None else None,
            last_sync=self._sync.last_sync,
            last_error=self._sync.last_error if leads else self._nobody_leads(),
            syncing=self._sync.syncing or not leads,
            held=self._sync.held,
            settling=self._sync.settling,
            leads_since=self._leads_since,
        )

    def _log_leadership(self) -> None:
        """Log when nobody leads any more, when the reasons change, and when somebody leads."""
        now = self._shared.around.clock()
        if self._leadership.leader is not None:
            if self._leaderless:
                self._log.write(LogEvent.LEADER_BACK, after_sec=round(now - self._since))
            self._leaderless = ()
            return
        reasons = tuple(each.message for each in self._endpoints)
        if not self._leaderless:
            self._since = now
            event = LogEvent.LEADER_LOST
        elif reasons == self._leaderless or now < self._logged_at + _REASONS_SECONDS:
            return
        else:
            event = LogEvent.LEADER_STILL_LOST
        self._leaderless, self._logged_at = reasons, now
        self._log.write(event, reasons=self._reasons())

    def _reasons(self) -> str:
        return by_message((leader_of(each.url).endpoint, each.message) for each in self._endpoints)

    def _nobody_leads(self) -> str:
        if not self._leadership.looked:
            return ""
        return f"namespace {self._shared.namespace}: no controller leads: {self._reasons()}"


async def _ping_each(controllers: Sequence[ControllerApi]) -> list[Ping]:
    """Ping every controller. Once a leader responded, wait only briefly for the others."""
    asked = [asyncio.ensure_future(controller.ping()) for controller in controllers]
    pending = set(asked)
    try:
        while pending and not any(_leads(ping) for ping in asked):
            _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        if pending:
            _, pending = await asyncio.wait(pending, timeout=_STRAGGLER_SECONDS)
    finally:
        for ping in pending:
            ping.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
    return [_STRAGGLER if ping in pending else ping.result() for ping in asked]


async def _end(following: asyncio.Task[None]) -> None:
    """Cancel until it has ended: a library may lose a cancellation that comes with its result, and
    two leaders must not be followed at once."""
    while not following.done():
        following.cancel()
        await asyncio.wait((following,), timeout=_CANCEL_AGAIN_SECONDS)


def _leads(ping: asyncio.Future[Ping]) -> bool:
    return ping.done() and ping.result().standing is Standing.LEADS
