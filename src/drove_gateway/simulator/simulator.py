"""The cluster over real HTTP: controllers, instances, and what can be done to them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import msgspec

from drove_gateway.simulator import views
from drove_gateway.simulator.cluster import Cluster, Recovery
from drove_gateway.simulator.control import Control
from drove_gateway.simulator.controllers import Access, Controller
from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.faults import Fault, FaultBook
from drove_gateway.simulator.mishaps import Mishaps
from drove_gateway.simulator.operations import Change
from drove_gateway.simulator.options import Options
from drove_gateway.simulator.posts import Posts
from drove_gateway.simulator.responses import Responses


class Simulator(Mishaps):
    """A Drove cluster for tests, benchmarks and the demo: `async with Simulator(Options()) as s`.

    Beside the operations on apps and executors it moves leadership, stops controllers and spoils
    their responses. `control` serves the same methods over HTTP.
    """

    def __init__(self, options: Options | None = None) -> None:
        options = options or Options()
        if options.controllers < 1:
            raise SimulatorError("a cluster needs at least one controller")
        super().__init__(options, Cluster(clock=_epoch_ms, skews=options.skews_ms))
        self.faults = FaultBook()
        responses = Responses(self.cluster)
        posts = Posts(self)
        self.controllers = [
            Controller(
                number,
                cluster=self.cluster,
                responses=responses,
                post=posts.respond,
                faults=self.faults,
                access=Access(options.user, options.password, options.token),
                idle_timeout=options.idle_timeout,
                tls=options.tls,
            )
            for number in range(options.controllers)
        ]
        self.control = Control([getattr(self, name) for name in COMMANDS], self.state)

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stop()

    @property
    def urls(self) -> list[str]:
        """The controllers' URLs, in order."""
        return [controller.url for controller in self.controllers]

    @property
    def leader(self) -> int | None:
        """The number of the leading controller."""
        return self.cluster.leader

    async def move_leadership(
        self, to: int | None = None, *, gap: float = 0.0, recovering: float | None = None
    ) -> Change:
        """Let controller `to` lead, by default the next that runs, after `gap` seconds without any.

        Returns when it leads; what it does not know yet for `recovering` seconds comes later.
        """
        chosen = self._next() if to is None else self._controller(to).number
        if not self.controllers[chosen].running:
            raise SimulatorError(f"controller {chosen} is stopped: start it first")
        self.cluster.depose()
        await asyncio.sleep(gap)
        self._lead(chosen, self.options.recovering if recovering is None else recovering)
        return Change(time.monotonic())

    def drop_leadership(self) -> Change:
        """Let nobody lead, until leadership is moved or a controller started."""
        self.cluster.depose()
        return Change(time.monotonic())

    async def stop_controller(self, controller: int, *, elect: bool = True) -> Change:
        """Kill a controller. When it led, another one leads after the options' `election`."""
        stopped = self._controller(controller)
        await stopped.stop()
        if self.cluster.leader == stopped.number:
            self.cluster.depose()
            if elect and any(each.running for each in self.controllers):
                await asyncio.sleep(self.options.election)
                await self._elect()
        return Change(time.monotonic())

    async def start_controller(self, controller: int, *, elect: bool = True) -> Change:
        """Start a stopped controller on its port; it leads when nobody does."""
        started = self._controller(controller)
        if not started.running:
            await started.start(self.options.host)
        if elect:
            await self._elect()
        return Change(time.monotonic())

    def recover(self, stage: Recovery) -> Change:
        """Set how much of the cluster the leader knows: `empty`, `partial` or `done`."""
        self.cluster.recover(stage)
        return Change(time.monotonic())

    def maintenance(self, on: bool) -> Change:
        """Enter or leave maintenance mode: GETs as usual, nothing is replaced."""
        self.cluster.set_maintenance(on)
        return Change(time.monotonic())

    def fault(self, fault: Fault) -> None:
        """Spoil responses from now on."""
        self.faults.add(fault)

    def clear_faults(self) -> None:
        """End all faults."""
        self.faults.clear()

    def publish(self, event_type: str, metadata: Mapping[str, str] | None = None) -> None:
        """Publish an event of any type, such as those that change nothing in `/endpoints`."""
        self.cluster.publish(event_type, metadata or {})

    def stale_events(self, count: int) -> None:
        """Stamp the next events so that a client which is up to date never sees them."""
        if self.cluster.leader is None:
            raise SimulatorError("nobody leads, so no events are recorded: move leadership first")
        self.cluster.stores[self.cluster.leader].stale_next(count)

    def exchanges(self, *, since: float = 0.0) -> list[dict[str, Any]]:
        """Return the requests since `since` (`time.monotonic`), the earliest first."""
        found = [
            {"controller": controller.number, **asdict(exchange)}
            for controller in self.controllers
            for exchange in controller.exchanges
            if exchange.answered >= since
        ]
        return sorted(found, key=lambda exchange: exchange["begun"])

    def state(self) -> dict[str, Any]:
        """Return everything there is, for `GET /state` of the control API."""
        return {
            "controllers": [
                {
                    "url": each.url,
                    "running": each.running,
                    "leader": each.number == self.cluster.leader,
                }
                for each in self.controllers
            ],
            "recovery": self.cluster.recovery,
            "maintenance": self.cluster.maintenance,
            "executors": views.executors(self.cluster),
            "apps": [views.state(app) for app in self.cluster.apps.values()],
            "faults": [msgspec.structs.asdict(fault) for fault in self.faults.active],
        }

    async def _start(self) -> None:
        options = self.options
        for controller in self.controllers:
            port = options.port + controller.number if options.port else 0
            await self._open(f"controller {controller.number}", controller.start, port)
            self.cluster.addresses.append(controller.address)
        for host in options.executor_hosts:
            self.cluster.add_executor(host)
        await self.populate()
        self.cluster.lead(0)
        if options.control_port is not None:
            await self._open("the control API", self.control.start, options.control_port)

    async def _open(
        self, what: str, start: Callable[[str, int], Awaitable[None]], port: int
    ) -> None:
        host = self.options.host
        try:
            await start(host, port)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or error
            raise SimulatorError(
                f"{what} cannot listen on {host}:{port}: {reason}; choose another port"
            ) from error

    async def _stop(self) -> None:
        await self.control.stop()
        await asyncio.gather(*(controller.release() for controller in self.controllers))
        await self.fleet.close()

    def _controller(self, number: int) -> Controller:
        if not 0 <= number < len(self.controllers):
            raise SimulatorError(
                f"no controller {number}: they are numbered 0 to {len(self.controllers) - 1}"
            )
        return self.controllers[number]

    def _next(self) -> int:
        start = -1 if self.cluster.leader is None else self.cluster.leader
        count = len(self.controllers)
        for step in range(1, count + 1):
            number = (start + step) % count
            if self.controllers[number].running:
                return number
        raise SimulatorError("no controller runs: start one first")

    async def _elect(self) -> None:
        if self.cluster.leader is None:
            await self.move_leadership()

    def _lead(self, controller: int, recovering: float) -> None:
        self.cluster.lead(controller, "empty" if recovering else "done")
        if recovering:
            self.fleet.spawn(self._recover_slowly(self.cluster.term, recovering / 2))

    async def _recover_slowly(self, term: int, half: float) -> None:
        for stage in RECOVERED:
            await asyncio.sleep(half)
            if self.cluster.term == term:
                self.cluster.recover(stage)


COMMANDS = (
    "deploy",
    "scale",
    "upgrade",
    "replace_instances",
    "stop_instances",
    "remove_app",
    "kill_instance",
    "silence_instance",
    "change_port",
    "kill_executor",
    "report_executor_lost",
    "add_executor",
    "move_leadership",
    "drop_leadership",
    "stop_controller",
    "start_controller",
    "recover",
    "maintenance",
    "fault",
    "clear_faults",
    "publish",
    "stale_events",
    "exchanges",
    "settled",
)
RECOVERED: tuple[Recovery, ...] = ("partial", "done")


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000
