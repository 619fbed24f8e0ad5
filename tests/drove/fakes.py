"""A cluster of controllers in memory, by the rules of Drove's controllers; no HTTP."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

import msgspec

from drove_gateway.drove.events import EVENTS_PER_PAGE, EventsPage, events_page
from drove_gateway.drove.leader import Ping, Standing
from drove_gateway.drove.listing import EndpointsDecoder, EndpointsListing
from drove_gateway.model.errors import ControllerDown, ControllerRefused, DroveError
from drove_gateway.model.namespace_view import NamespaceView
from drove_gateway.model.vocabulary import Snapshot


def apps_body(**ports: int) -> bytes:
    """An answer of `/v1/endpoints`: an app of one host for each name and port."""
    data = [
        {
            "appName": name,
            "appId": f"{name}-1",
            "vhost": f"{name}.local",
            "hosts": [{"host": "ex1.dc", "port": port, "portType": "HTTP"}],
        }
        for name, port in ports.items()
    ]
    return msgspec.json.encode({"status": "SUCCESS", "data": data})


def served(snapshot: Snapshot) -> dict[str, int]:
    """The apps of a snapshot as `apps_body` takes them."""
    return {app.app_name: app.hosts[0].port for app in snapshot.apps}


@dataclass
class FakeEvent:
    """An event as a controller records it; `time` in ms."""

    time: int
    type: str
    metadata: Mapping[str, object] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class FakeController:
    """One controller: `recorded` are its events, `apps` are what it lists now.

    `asked` are the times that it was asked with, `given` those that it answered with, `fetched`
    the apps that were requested by name. `says` replaces the time that it gives, and `date` is its
    clock in ms. With `loses_a_cancellation`, the first that meets a call has no effect.
    """

    url: str = "http://c1:10000"
    standing: Standing = Standing.LEADS
    apps: dict[str, int] = field(default_factory=dict)
    recorded: list[FakeEvent] = field(default_factory=list)
    events_error: DroveError | None = None
    endpoints_error: DroveError | None = None
    latency: float = 0.0
    ping_latency: float = 0.0
    calls: Counter[str] = field(default_factory=Counter)
    asked: list[int] = field(default_factory=list)
    given: list[int] = field(default_factory=list)
    fetched: list[frozenset[str]] = field(default_factory=list)
    ignores_names: bool = False
    message: str = "400 Bad Request"
    says: int | None = None
    date: int | None = None
    loses_a_cancellation: bool = False

    async def ping(self) -> Ping:
        self.calls["ping"] += 1
        await asyncio.sleep(self.ping_latency)
        return Ping(self.standing, "OK" if self.standing is Standing.LEADS else self.message)

    def happens(self, time: int, kind: str, **metadata: object) -> None:
        """Record an event."""
        self.recorded.append(FakeEvent(time, kind, metadata))

    def _events_since(self, last_sync: int) -> bytes:
        newer = [event for event in self.recorded if event.time > last_sync]
        newer.sort(key=lambda event: event.time, reverse=True)
        newest = max((event.time for event in self.recorded), default=last_sync)
        newest = newest if self.says is None else self.says
        self.given.append(newest)
        data = {"events": [vars(event) for event in newer[:EVENTS_PER_PAGE]]}
        return msgspec.json.encode({"status": "SUCCESS", "data": {**data, "lastSyncTime": newest}})

    async def events(self, last_sync: int) -> EventsPage:
        self.calls["events"] += 1
        self.asked.append(last_sync)
        await self._answer(self.events_error)
        return events_page(self._events_since(last_sync), requested=last_sync, clock=self.date)

    async def endpoints(self, decoder: EndpointsDecoder) -> EndpointsListing:
        self.calls["endpoints"] += 1
        await self._answer(self.endpoints_error)
        return decoder.decode(apps_body(**self.apps))

    async def endpoints_of(
        self, names: frozenset[str], decoder: EndpointsDecoder
    ) -> tuple[EndpointsListing | None, bool]:
        self.calls["endpoints of apps"] += 1
        self.fetched.append(names)
        await self._answer(self.endpoints_error)
        listed = {
            name: port for name, port in self.apps.items() if self.ignores_names or name in names
        }
        merge = decoder.merge(apps_body(**listed), names)
        return (decoder.keep(merge.reading) if merge.reading else None), merge.ignored

    async def _answer(self, error: DroveError | None) -> None:
        try:
            await asyncio.sleep(self.latency)
        except asyncio.CancelledError:
            if not self.loses_a_cancellation:
                raise
            self.loses_a_cancellation = False
            await asyncio.sleep(self.latency)
        if self.standing is Standing.ABSENT:
            raise ControllerDown("refused")
        if self.standing is Standing.STANDS_BY:
            raise ControllerRefused("400 Bad Request", 400)
        if error:
            raise error


class Counted:
    """Metrics that can be looked at."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.gauges: dict[str, float] = {}

    def endpoint_check_fails(self, namespace: str) -> None:
        self._count("endpoint_check_fails", namespace)

    def endpoint_down_errors(self, namespace: str) -> None:
        self._count("endpoint_down_errors", namespace)

    def drove_app_sync_failed(self, namespace: str) -> None:
        self._count("drove_app_sync_failed", namespace)

    def drove_stream_errors(self, namespace: str) -> None:
        self._count("drove_stream_errors", namespace)

    def drove_stream_no_data_warnings(self, namespace: str) -> None:
        self._count("drove_stream_no_data_warnings", namespace)

    def drove_events_received(self, namespace: str, count: int) -> None:
        self._count("drove_events_received", namespace, count)

    def drove_audit_differences(self, namespace: str, count: int) -> None:
        self._count("drove_audit_differences", namespace, count)

    def drove_notice_duration_seconds(self, namespace: str, seconds: float) -> None:
        assert seconds >= 0
        self._count("drove_notice_duration_seconds", namespace)

    def drove_app_refresh_duration(self, namespace: str, seconds: float) -> None:
        assert seconds >= 0
        self._count("drove_app_refresh_duration", namespace)

    def all_endpoints_down_errors(self, namespace: str, down: bool) -> None:
        self._set("all_endpoints_down_errors", namespace, down)

    def configured_endpoints_total(self, namespace: str, count: int) -> None:
        self._set("configured_endpoints_total", namespace, count)

    def healthy_endpoints_total(self, namespace: str, count: int) -> None:
        self._set("healthy_endpoints_total", namespace, count)

    def _count(self, name: str, namespace: str, count: int = 1) -> None:
        assert namespace == "stage"
        self.counts[name] += count

    def _set(self, name: str, namespace: str, value: float) -> None:
        assert namespace == "stage"
        self.gauges[name] = value


@dataclass
class Taken:
    """Both callbacks of a watch: takes every snapshot unless `holding`, keeps every view."""

    holding: bool = False
    snapshots: list[Snapshot] = field(default_factory=list)
    offered: list[Snapshot] = field(default_factory=list)
    views: list[NamespaceView] = field(default_factory=list)

    async def accept(self, snapshot: Snapshot) -> bool:
        self.offered.append(snapshot)
        if not self.holding:
            self.snapshots.append(snapshot)
        return not self.holding

    def publish(self, view: NamespaceView) -> None:
        self.views.append(view)
