"""Three controllers that respond as real ones (v1.33.3) did during recorded takeovers.

What was recorded is sent as it was, at the times of the recording, except for addresses: an
instance listens where this machine has a port for it. The recordings count events; the gateway
requests the events themselves, so each that was counted is listed, with the app that it is about.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import msgspec
from aiohttp import web
from tests.simulator.recordings import recording
from tests.traffic import Instance

from drove_gateway.simulator.listener import Listener

LONGEST_PAUSE_SECONDS = 2.0
"""A longer time without any response is shortened to this, unless real times are requested."""

CONTROLLERS = (1, 2, 3)
_ROUTES = {
    "/apis/v1/ping": "ping",
    "/apis/v1/endpoints": "endpoints",
    "/apis/v1/cluster/events/latest": "summary",
}

Place = tuple[str, int]


class Step(msgspec.Struct, frozen=True):
    """What a controller responds to a route from `seconds` on. The status is 0 if it is down."""

    seconds: float
    controller: int
    route: str
    status: int
    body: str

    @property
    def data(self) -> Any:
        """The data of a successful response."""
        return json.loads(self.body)["data"]


def recorded_steps(name: str) -> list[Step]:
    """Return the steps of a recorded takeover, in order.

    A controller that leads responds to every route from then on, with what was recorded next.
    """
    steps = msgspec.convert(recording(f"takeover-{name}")["steps"], list[Step])
    [led] = [each for each in steps if each.seconds > 0 and each.route == "ping" and each.status]
    moved = dict(_responds_from(led, steps))
    return sorted((moved.get(step, step) for step in steps), key=lambda step: step.seconds)


def _responds_from(led: Step, steps: Sequence[Step]) -> Iterator[tuple[Step, Step]]:
    """The next responses of a new leader to other routes, and the same at the time it led."""
    for route in ("endpoints", "summary"):
        later = (step for step in steps if step.seconds > led.seconds and step.route == route)
        following = next(step for step in later if step.controller == led.controller)
        yield following, msgspec.structs.replace(following, seconds=led.seconds)


def listed_places(steps: Sequence[Step]) -> Iterator[tuple[Place, str]]:
    """Every instance of the steps: where it listened, and its vhost."""
    for step in _listings(steps):
        for app in step.data:
            for host in app["hosts"]:
                yield (host["host"], host["port"]), app["vhost"]


def _listings(steps: Sequence[Step]) -> list[Step]:
    return [step for step in steps if step.route == "endpoints" and step.status == 200]


class RecordedCluster:
    """The controllers, and how far their recording was played.

    `vhosts` are those of the recording. `gaps` counts the responses in which apps are missing.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.urls: tuple[str, ...] = ()
        self.gaps = 0
        self._recordings = {name: recorded_steps(name) for name in names}
        self._instances: dict[Place, Instance] = {}
        self._ports: dict[int, int] = {}
        self._listeners = {
            number: Listener(partial(self._respond, number), keep_alive=30.0)
            for number in CONTROLLERS
        }
        self._replies: dict[tuple[int, str], Step] = {}
        self._events: list[dict[str, Any]] = []
        self._begin = names[0]
        steps = [step for steps in self._recordings.values() for step in steps]
        self._vhost_of = dict(listed_places(steps))
        self._apps = sorted({app["appId"] for step in _listings(steps) for app in step.data})
        self.vhosts = sorted(set(self._vhost_of.values()))
        self.servers = len(self._vhost_of)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["RecordedCluster"]:
        """Let instances and controllers listen, as before the first takeover."""
        async with AsyncExitStack() as stack:
            for place, vhost in self._vhost_of.items():
                self._instances[place] = await Instance(vhost).start()
                stack.push_async_callback(self._instances[place].stop)
            for number, listener in self._listeners.items():
                self._ports[number] = await listener.open("127.0.0.1")
                stack.push_async_callback(listener.cut)
            self.urls = tuple(f"http://127.0.0.1:{port}" for port in self._ports.values())
            await self._take(self._before(self._begin))
            yield self

    async def play(self, name: str, *, real_times: bool) -> None:
        """Let the takeover happen."""
        await self._take(self._before(name))
        self._events = []
        steps = [step for step in self._recordings[name] if step.seconds > 0]
        for last, step in itertools.pairwise([steps[0], *steps]):
            pause = step.seconds - last.seconds
            await asyncio.sleep(pause if real_times else min(pause, LONGEST_PAUSE_SECONDS))
            await self._take([step])

    def _before(self, name: str) -> list[Step]:
        return [step for step in self._recordings[name] if step.seconds <= 0]

    async def _take(self, steps: Sequence[Step]) -> None:
        for step in steps:
            self._replies[step.controller, step.route] = step
            listener = self._listeners[step.controller]
            if step.status == 0 and listener.listening:
                await listener.cut()
            elif step.status and not listener.listening:
                await listener.open("127.0.0.1", self._ports[step.controller])
            if step.route == "summary" and step.status == 200:
                self._record_events(step.data)

    def _record_events(self, summary: Mapping[str, Any]) -> None:
        """List the events that were counted since the last step, each of another app."""
        for kind, count in summary["eventsCount"].items():
            known = sum(event["type"] == kind for event in self._events)
            for number in range(known, count):
                app = self._apps[number] if kind == "APP_STATE_CHANGE" else ""
                metadata = {"APP_ID": app, "APP_NAME": app.rpartition("-")[0]} if app else {}
                event = {"type": kind, "id": f"{kind}-{number}", "metadata": metadata}
                self._events.insert(0, {**event, "time": summary["lastSyncTime"]})

    async def _respond(self, number: int, request: web.BaseRequest) -> web.StreamResponse:
        step = self._replies.get((number, _ROUTES.get(request.path, "")))
        if step is None:
            return web.Response(status=404)
        body = step.body
        if step.status == 200 and step.route == "endpoints":
            body = self._endpoints(step, request.query.getall("app", []))
        elif step.status == 200 and step.route == "summary":
            body = self._latest(int(request.query.get("lastSyncTime", 0)))
        return web.Response(status=step.status, text=body, content_type="application/json")

    def _endpoints(self, step: Step, names: Sequence[str]) -> str:
        apps = step.data
        self.gaps += len(apps) < len(self.vhosts)
        for app in apps:
            for host in app["hosts"]:
                instance = self._instances[host["host"], host["port"]]
                host["host"], host["port"] = instance.host, instance.port
        return _success([app for app in apps if not names or app["appName"] in names])

    def _latest(self, since: int) -> str:
        newer = [event for event in self._events if event["time"] > since]
        last = newer[0]["time"] if newer else since
        return _success({"events": newer, "lastSyncTime": last})


def _success(data: Any) -> str:
    return json.dumps({"status": "SUCCESS", "data": data, "message": "success"})
