"""Failures of instances and executors, and how the cluster notices them."""

import asyncio
import time
from collections.abc import Sequence

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.operations import Change, Operations, changed
from drove_gateway.simulator.workload import TO_STOPPED, AppVersion, Executor, Instance


class Mishaps(Operations):
    """Operations, and failures of the instances that they started."""

    async def kill_instance(
        self,
        instance: str = "",
        *,
        app: str = "",
        noticed_after: float | None = 0.0,
        replace: bool = True,
    ) -> Change:
        """Kill an instance, or the first healthy one of an app.

        The cluster notices `noticed_after` seconds later (None: never), removes it from the list
        and, with `replace`, starts another in the background.
        """
        version, victim = self._victim(instance, app)
        await self.fleet.kill(victim)
        if noticed_after is None:
            return Change(time.monotonic(), version.app_id)
        await asyncio.sleep(noticed_after)
        if victim.state in {"STARTING", "HEALTHY"}:
            reason = "Healthcheck failed"
            self.cluster.move_instance(version, victim, ("UNHEALTHY", *TO_STOPPED), reason)
        change = changed(version, (), [victim])
        await self._notice([version], 0.0, replace)
        return change

    async def kill_executor(self, executor: str, *, lost_after: float | None = None) -> None:
        """Kill an executor and all that runs there, silently: its hosts stay listed.

        The cluster reports it lost `lost_after` seconds later (None: by `report_executor_lost`).
        """
        machine = self.executor(executor)
        machine.dead = True
        apps = self.cluster.apps.values()
        running = [each for app in apps for each in app.instances.values()]
        await asyncio.gather(
            *(self.fleet.kill(each) for each in running if each.executor is machine)
        )
        if lost_after is not None:
            self.fleet.spawn(self._lose_later(machine, lost_after))

    async def report_executor_lost(
        self,
        executor: str,
        *,
        deletion_delay: float = 0.0,
        app_event_after: float | None = 0.0,
        replace: bool = True,
    ) -> Change:
        """Publish that the executor is gone, and delete its instances `deletion_delay` later.

        No event announces the deletion. The apps notice `app_event_after` seconds later (None:
        never) and, with `replace`, start other instances.
        """
        machine = self.executor(executor)
        await self.kill_executor(machine.executor_id)
        self.cluster.announce_loss(machine)
        await asyncio.sleep(deletion_delay)
        gone = self.cluster.delete_instances_of(machine)
        change = Change(time.monotonic(), removed=tuple(each.instance_id for each in gone))
        affected = {each.app_id: self.cluster.apps[each.app_id] for each in gone}
        if app_event_after is not None:
            self.fleet.spawn(self._notice(list(affected.values()), app_event_after, replace))
        return change

    def silence_instance(self, instance: str, *, silent: bool = True) -> Change:
        """Leave an instance out of `/endpoints` as stale, or list it again, without an event."""
        version, victim = self._victim(instance, "")
        self.cluster.set_stale(version, victim, silent)
        names = (instance,)
        added, removed = ((), names) if silent else (names, ())
        return Change(time.monotonic(), version.app_id, added, removed)

    async def change_port(self, instance: str) -> Change:
        """Let an instance listen on another port. No event announces it."""
        version, victim = self._victim(instance, "")
        self.cluster.set_port(version, victim, await self.fleet.move(victim))
        return Change(time.monotonic(), version.app_id)

    def _victim(self, instance: str, app: str) -> tuple[AppVersion, Instance]:
        if app and not instance:
            healthy = self.app(app).healthy()
            if healthy:
                return self.app(app), healthy[0]
            raise SimulatorError(f"no instance of {app!r} is healthy")
        for version in self.cluster.apps.values():
            if instance in version.instances:
                return version, version.instances[instance]
        raise SimulatorError(
            f"no instance {instance!r}: name one of /state, or an app to take its first"
        )

    async def _notice(self, apps: Sequence[AppVersion], after: float, replace: bool) -> None:
        if after:
            await asyncio.sleep(after)
        for app in apps:
            if self.cluster.apps.get(app.app_id) is not app:
                continue
            self.cluster.set_app_state(app, "OUTAGE_DETECTED")
            if replace and not self.cluster.maintenance:
                self.fleet.spawn(self._recover(app))

    async def _lose_later(self, executor: Executor, delay: float) -> None:
        await asyncio.sleep(delay)
        if executor.executor_id in self.cluster.executors:
            await self.report_executor_lost(executor.executor_id)
