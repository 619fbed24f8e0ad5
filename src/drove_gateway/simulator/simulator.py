"""The cluster over real HTTP: controllers, instances, and what can be done to them."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any, Self

import msgspec

from drove_gateway.simulator import views
from drove_gateway.simulator.cluster import Cluster
from drove_gateway.simulator.control import Control
from drove_gateway.simulator.controllers import Access, Controller
from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.faults import Fault, FaultBook
from drove_gateway.simulator.mishaps import Mishaps
from drove_gateway.simulator.operations import Change
from drove_gateway.simulator.options import Options
from drove_gateway.simulator.posts import Posts
from drove_gateway.simulator.recovery import STALE_AFTER_SECONDS, Stage, at_stage
from drove_gateway.simulator.responses import Responses
from drove_gateway.simulator.scenarios import Scenarios
from drove_gateway.simulator.takeovers import Takeovers


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
        responses = Responses(self.cluster, app_filter=options.app_filter)
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
        self.scenarios = Scenarios(self)
        self.control = Control(self._commands(), self.state)
        self._takeovers = Takeovers(self)

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

        Returns when it leads. It lists nothing for a third of `recovering` seconds, then whole apps
        one after the other. After a gap of a minute no report of an instance counts any more, so it
        then lists apps without hosts, hosts one by one, twice as many, and half of them again.
        """
        chosen = self._next() if to is None else self._controller(to).number
        if not self.controllers[chosen].running:
            raise SimulatorError(f"controller {chosen} is stopped: start it first")
        self.cluster.depose()
        await asyncio.sleep(gap)
        recovering = self.options.recovering if recovering is None else recovering
        if recovering and gap >= STALE_AFTER_SECONDS:
            self._takeovers.lead_after_outage(chosen, scale=1.0)
        else:
            self._takeovers.lead(chosen, recovering)
        return Change(time.monotonic())

    async def zookeeper_outage(self, seconds: float = 75.0, *, scale: float = 1.0) -> Change:
        """Let every controller exit, as when ZooKeeper is away, and nobody lead for `seconds`.

        They run again after half of that. The next leader then recovers as after any gap of a
        minute. `scale` shortens all of it: 0.01 takes a hundredth of the time. Returns when it
        leads.
        """
        running = [each for each in self.controllers if each.running]
        self.cluster.depose()
        await asyncio.gather(*(each.stop() for each in running))
        await asyncio.sleep(seconds * scale / 2)
        for each in running:
            await each.start(self.options.host)
        await asyncio.sleep(seconds * scale / 2)
        if self.cluster.leader is None:
            self._takeovers.lead_after_outage(self._next(), scale)
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
                self._elect(acquired=False)
        return Change(time.monotonic())

    async def start_controller(self, controller: int, *, elect: bool = True) -> Change:
        """Start a stopped controller on its port; it leads when nobody does."""
        started = self._controller(controller)
        if not started.running:
            await started.start(self.options.host)
        if elect:
            self._elect()
        return Change(time.monotonic())

    def recover(self, stage: Stage) -> Change:
        """Set what the leader knows: `empty`, `partial` (every second app), `no-hosts`, `done`."""
        apps = self.cluster.apps
        instances = [name for app in apps.values() for name in app.instances]
        self.cluster.recover(at_stage(stage, sorted(apps), instances))
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
            "recovered": self.cluster.recovery.done,
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

    def _elect(self, *, acquired: bool = True) -> None:
        if self.cluster.leader is None:
            self._takeovers.lead(self._next(), self.options.recovering, acquired=acquired)

    def _commands(self) -> list[Callable[..., Any]]:
        own = [getattr(self, name) for name in COMMANDS]
        return own + [getattr(self.scenarios, name) for name in SCENARIOS]


COMMANDS = (
    "deploy",
    "scale",
    "upgrade",
    "replace_instances",
    "start_again",
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
    "zookeeper_outage",
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
SCENARIOS = ("kill_instances", "scale_steps", "upgrade_all")


def _epoch_ms() -> int:
    return time.time_ns() // 1_000_000
