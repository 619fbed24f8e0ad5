"""Instances: where they are placed, their servers, their states over time."""

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count, cycle
from typing import Any
from uuid import uuid4

from drove_gateway.simulator.cluster import Cluster
from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.instances import InstanceServer
from drove_gateway.simulator.workload import (
    TO_HEALTHY,
    TO_STOPPED,
    AppVersion,
    Executor,
    Instance,
)

FIRST_PORT = 20_000
PORTS = 40_000
_LOOK_SECONDS = 0.2


def _never(_: Instance) -> bool:
    return False


class Fleet:
    """Runs instances on executors. `servers` holds the real ones by instance id.

    A stopped instance ends after its app's `wait_before_kill`, and not while `lives_on` says so.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.lives_on: Callable[[Instance], bool] = _never
        self.servers: dict[str, InstanceServer] = {}
        self._cluster = cluster
        self._turns = count()
        self._ports: dict[str, cycle[int]] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the background; `settled` waits for it."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._finished)

    async def settled(self) -> None:
        """Wait until nothing runs in the background. Raise the first error of that."""
        while self._running:
            await asyncio.wait(self._running)
        if self._failures:
            raise self._failures.pop(0)

    async def close(self) -> None:
        """Stop the background work and every server. Raise the first error of that work."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        await asyncio.gather(*(server.kill() for server in self.servers.values()))
        self.servers.clear()
        if self._failures:
            raise self._failures.pop(0)

    async def place(self, app: AppVersion) -> tuple[Executor, int, str]:
        """Choose an executor, a port and an id for a new instance, and start its server."""
        executor = self._executor()
        name = f"AI-{uuid4()}"
        if not app.real:
            return executor, self._port(executor.hostname), name
        server = InstanceServer(
            app=app.name, app_id=app.app_id, instance_id=name, host=executor.hostname
        )
        try:
            port = await server.start()
        except OSError as error:
            raise SimulatorError(
                f"an instance of {app.app_id} cannot listen on {executor.hostname}: {error}; "
                "executors of real instances must be addresses of this machine, such as 127.0.0.1"
            ) from error
        self.servers[name] = server
        return executor, port, name

    async def start(self, app: AppVersion) -> Instance:
        """Start an instance and return when it is healthy."""
        executor, port, name = await self.place(app)
        instance = self._cluster.add_instance(app, executor, port, name)
        if app.healthy_after:
            await asyncio.sleep(app.healthy_after)
        if instance.state == "STARTING" and not executor.dead:
            self._cluster.move_instance(app, instance, TO_HEALTHY)
        return instance

    def stop(self, app: AppVersion, instance: Instance) -> None:
        """Remove an instance from the list now; it ends in the background."""
        if instance.instance_id not in app.instances:
            return
        self._cluster.set_instance_state(app, instance, "STOPPING")
        self.spawn(self._end(app, instance))

    async def kill(self, instance: Instance) -> None:
        """Kill the server of an instance. The cluster does not notice."""
        server = self.servers.pop(instance.instance_id, None)
        if server is not None:
            await server.kill()

    async def move(self, instance: Instance) -> int:
        """Let the instance listen on another port. Return the port."""
        server = self.servers.get(instance.instance_id)
        if server is None:
            return self._port(instance.executor.hostname)
        await server.kill()
        return await server.start()

    async def _end(self, app: AppVersion, instance: Instance) -> None:
        if app.wait_before_kill:
            await asyncio.sleep(app.wait_before_kill)
        while self.lives_on(instance):  # noqa: ASYNC110 - the answer depends on what others do
            await asyncio.sleep(_LOOK_SECONDS)
        server = self.servers.get(instance.instance_id)
        if server is not None:
            await (server.stop() if app.graceful else server.kill())
            self.servers.pop(instance.instance_id, None)
        if instance.state == "STOPPING":
            self._cluster.move_instance(app, instance, TO_STOPPED)

    def has_room(self) -> bool:
        """Whether an executor is alive."""
        return any(not each.dead for each in self._cluster.executors.values())

    def _executor(self) -> Executor:
        alive = [each for each in self._cluster.executors.values() if not each.dead]
        if not alive:
            raise SimulatorError("no executor is alive: add one with add-executor")
        return alive[next(self._turns) % len(alive)]

    def _port(self, hostname: str) -> int:
        ports = self._ports.setdefault(hostname, cycle(range(FIRST_PORT, FIRST_PORT + PORTS)))
        return next(ports)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (failure := task.exception()):
            self._failures.append(failure)
