"""Operations on apps, instances and executors, over time.

Every method returns when `/endpoints` lists the change, with that moment. The rest (the wait before
a kill, a replacement) continues in the background.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from drove_gateway.simulator.cluster import Cluster
from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.fleet import Fleet
from drove_gateway.simulator.options import Options
from drove_gateway.simulator.workload import AppState, AppVersion, Executor, Instance


@dataclass(frozen=True, slots=True)
class Change:
    """A change that `/endpoints` lists since `visible_at` (seconds of `time.monotonic`).

    `added` and `removed` are instance ids.
    """

    visible_at: float
    app_id: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class Operations:
    """Deploy, scale, replace, destroy. An app is named by its id, or its newest version by name."""

    def __init__(self, options: Options, cluster: Cluster) -> None:
        self.options = options
        self.cluster = cluster
        self.fleet = Fleet(cluster)
        self._versions: dict[str, int] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._homeless: list[AppVersion] = []

    async def deploy(
        self,
        name: str,
        *,
        version: str = "",
        vhost: str | None = None,
        instances: int | None = None,
        tags: Mapping[str, str] | None = None,
        port_type: str | None = None,
        real: bool | None = None,
        wait_before_kill: float | None = None,
        healthy_after: float | None = None,
        graceful: bool | None = None,
    ) -> Change:
        """Register a new version of an app and start its instances.

        Defaults come from the newest version of that name, or else from the options.
        """
        if not name:
            raise SimulatorError("an app needs a name")
        same = [each for each in self.cluster.apps.values() if each.name == name]
        app = self._specify(name, version or self._next_version(name), same[-1] if same else None)
        if vhost is not None:
            app.vhost = vhost
        if tags is not None:
            app.tags = tags
        if port_type is not None:
            app.port_type = port_type
        if real is not None:
            app.real = real
        if wait_before_kill is not None:
            app.wait_before_kill = wait_before_kill
        if healthy_after is not None:
            app.healthy_after = healthy_after
        if graceful is not None:
            app.graceful = graceful
        self.cluster.add_app(app)
        wanted = self.options.instances if instances is None else instances
        return await self.scale(app.app_id, wanted)

    async def scale(self, app: str, instances: int) -> Change:
        """Start or stop instances until there are `instances`; 0 suspends the app."""
        version = self.app(app)
        if instances < 0:
            raise SimulatorError(f"{instances} instances are not possible: give 0 or more")
        async with self._operation(version, "SCALING_REQUESTED"):
            version.required = instances
            running = [each for each in version.instances.values() if each.state != "STOPPING"]
            surplus = running[instances:]
            for instance in surplus:
                self.fleet.stop(version, instance)
            added = await self._launch(version, instances - len(running))
        return changed(version, added, surplus)

    async def replace_instances(self, app: str, instance_ids: Sequence[str] = ()) -> Change:
        """Restart all instances, or those that are named, one after the other.

        Each old instance is stopped when its replacement is healthy.
        """
        version = self.app(app)
        added: list[Instance] = []
        async with self._operation(version, "REPLACE_INSTANCES_REQUESTED"):
            old = [
                i for i in version.healthy() if not instance_ids or i.instance_id in instance_ids
            ]
            for instance in old:
                added += await self._launch(version, 1)
                self.fleet.stop(version, instance)
        return changed(version, added, old)

    async def start_again(self, app: str, *, surplus_for: float = 0.0) -> Change:
        """Start as many new instances as the app needs beside those that run.

        The older ones stop `surplus_for` seconds later, as when a leader had taken them for lost.
        """
        version = self.app(app)
        async with self._operation(version, "SCALING_REQUESTED"):
            old = version.healthy()
            added = await self._launch(version, version.required)
            await asyncio.sleep(surplus_for)
            for instance in old:
                self.fleet.stop(version, instance)
        return changed(version, added, old)

    async def stop_instances(
        self, app: str, instance_ids: Sequence[str], *, respawn: bool = False
    ) -> Change:
        """Stop the named instances; with `respawn`, start replacements."""
        version = self.app(app)
        async with self._operation(version, "STOP_INSTANCES_REQUESTED"):
            victims = [each for each in version.healthy() if each.instance_id in instance_ids]
            for instance in victims:
                self.fleet.stop(version, instance)
            if not respawn:
                version.required -= len(victims)
            added = await self._launch(version, len(victims) if respawn else 0)
        return changed(version, added, victims)

    async def upgrade(
        self,
        name: str,
        *,
        version: str = "",
        instances: int | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Change:
        """Blue/green: deploy a new version on the same vhost, then suspend the older ones."""
        older = [app for app in self.cluster.apps.values() if app.name == name and app.required]
        if not older:
            raise SimulatorError(f"no version of {name!r} runs: deploy it first")
        wanted = older[-1].required if instances is None else instances
        new = await self.deploy(name, version=version, instances=wanted, tags=tags)
        removed: list[str] = []
        for app in older:
            removed += (await self.scale(app.app_id, 0)).removed
        return Change(time.monotonic(), new.app_id, new.added, tuple(removed))

    async def remove_app(self, app: str) -> Change:
        """Suspend the app, then destroy it."""
        version = self.app(app)
        removed = (await self.scale(version.app_id, 0)).removed
        self.cluster.set_app_state(version, "DESTROY_REQUESTED")
        self.cluster.remove_app(version)
        return Change(time.monotonic(), version.app_id, (), removed)

    def add_executor(self, host: str) -> str:
        """Add a machine to the cluster. Return its id. Apps that found no room start there."""
        machine = self.cluster.add_executor(host)
        while self._homeless:
            self.fleet.spawn(self._recover(self._homeless.pop()))
        return machine.executor_id

    def is_busy(self, app: str) -> bool:
        """Whether an operation runs on the app with this id."""
        return app in self._locks and self._locks[app].locked()

    async def settled(self) -> None:
        """Wait until the background work is done."""
        await self.fleet.settled()

    def app(self, app: str) -> AppVersion:
        """Return the app version with this id, or the newest with this name."""
        if app in self.cluster.apps:
            return self.cluster.apps[app]
        versions = [each for each in self.cluster.apps.values() if each.name == app]
        if not versions:
            raise SimulatorError(f"no app {app!r}; there are: {_some(self.cluster.apps)}")
        return versions[-1]

    def executor(self, executor: str) -> Executor:
        """Return the executor with this id, or the first with this host name."""
        machines = self.cluster.executors
        if executor in machines:
            return machines[executor]
        for machine in machines.values():
            if machine.hostname == executor:
                return machine
        hosts = [machine.hostname for machine in machines.values()]
        raise SimulatorError(f"no executor {executor!r}; there are: {_some(hosts)}")

    async def populate(self) -> None:
        """Run the apps of the options, as if they had run for long."""
        for number in range(1, self.options.apps + 1):
            app = self._specify(f"app{number}", self._next_version(f"app{number}"), None)
            places = [await self.fleet.place(app) for _ in range(self.options.instances)]
            self.cluster.populate(app, places)
            await asyncio.sleep(0)

    def _specify(self, name: str, version: str, last: AppVersion | None) -> AppVersion:
        """Return a version like the last, or else as the options say."""
        options = self.options
        return AppVersion(
            name=name,
            version=version,
            vhost=last.vhost if last else options.vhost.replace("{name}", name),
            tags=last.tags if last else options.tags,
            port_type=last.port_type if last else options.port_type,
            real=last.real if last else options.real,
            wait_before_kill=last.wait_before_kill if last else options.wait_before_kill,
            healthy_after=last.healthy_after if last else options.healthy_after,
            graceful=last.graceful if last else options.graceful,
        )

    def _next_version(self, name: str) -> str:
        """Return a number that no version of the app has or had."""
        while True:
            self._versions[name] = self._versions.get(name, 0) + 1
            if f"{name}-{self._versions[name]}" not in self.cluster.apps:
                return str(self._versions[name])

    @asynccontextmanager
    async def _operation(self, app: AppVersion, state: AppState) -> AsyncIterator[None]:
        async with self._locks.setdefault(app.app_id, asyncio.Lock()):
            if self.cluster.apps.get(app.app_id) is not app:
                raise SimulatorError(f"the app {app.app_id!r} was destroyed meanwhile")
            self.cluster.set_app_state(app, state)
            try:
                yield
            finally:
                self.cluster.settle_app(app)

    async def _launch(self, app: AppVersion, count: int) -> list[Instance]:
        return list(await asyncio.gather(*(self.fleet.start(app) for _ in range(count))))

    async def _recover(self, app: AppVersion) -> None:
        """Start the missing instances of an app, unless it was destroyed meanwhile."""
        if not self.fleet.has_room():
            self._homeless.append(app)
            return
        with suppress(SimulatorError):
            async with self._operation(app, "SCALING_REQUESTED"):
                running = [each for each in app.instances.values() if each.state != "STOPPING"]
                await self._launch(app, app.required - len(running))


def changed(app: AppVersion, added: Sequence[Instance], removed: Sequence[Instance]) -> Change:
    """Return a change of an app that is visible from now on."""
    return Change(
        time.monotonic(),
        app.app_id,
        tuple(each.instance_id for each in added),
        tuple(each.instance_id for each in removed),
    )


def _some(names: Mapping[str, object] | Sequence[str]) -> str:
    shown = list(names)[:10]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "") or "none"
