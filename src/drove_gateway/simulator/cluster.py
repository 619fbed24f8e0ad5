"""The cluster's state and its transitions: no clock, sockets or tasks of its own.

Every transition records the event that a real leader publishes for it, and counts `revision` up
when the response of `/endpoints` may differ.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any
from uuid import uuid4

from drove_gateway.simulator.errors import SimulatorError
from drove_gateway.simulator.event_metadata import (
    app_metadata,
    executor_metadata,
    instance_metadata,
)
from drove_gateway.simulator.events import EventStore
from drove_gateway.simulator.recovery import Recovery
from drove_gateway.simulator.workload import (
    TO_STARTING,
    AppState,
    AppVersion,
    Executor,
    Instance,
    InstanceState,
)


class Cluster:
    """Apps, instances, executors, leadership, and each controller's events.

    `clock` returns epoch milliseconds; `skews` are what each controller's clock adds to it, in
    milliseconds; `addresses` are the controllers' HOST:PORT.
    """

    def __init__(self, *, clock: Callable[[], int], skews: Sequence[int]) -> None:
        self.stores = [EventStore(_skewed(clock, skew)) for skew in skews]
        self.addresses: list[str] = []
        self.apps: dict[str, AppVersion] = {}
        self.executors: dict[str, Executor] = {}
        self.leader: int | None = None
        self.term = 0
        self.maintenance = False
        self.maintenance_updated = 0
        self.recovery = Recovery()
        self.revision = 0
        self._clock = clock

    @property
    def events(self) -> EventStore:
        """The leader's store; without a leader the first controller's, which is empty."""
        return self.stores[self.leader or 0]

    def now(self) -> int:
        """Return epoch milliseconds by the leader's clock; without skew when nobody leads."""
        return self._clock() if self.leader is None else self.stores[self.leader].clock()

    def publish(self, event_type: str, metadata: Mapping[str, Any]) -> None:
        """Record an event with the leader; without one it is lost."""
        if self.leader is not None:
            self.stores[self.leader].record(event_type, metadata)

    # Leadership

    def lead(
        self, controller: int, known: Recovery | None = None, *, acquired: bool = True
    ) -> None:
        """Make a controller the leader. Its event store begins empty.

        It knows the whole cluster unless `known` says less. Not every real leader publishes that it
        has `acquired` leadership.
        """
        self.depose()
        self.leader = controller
        self.stores[controller].clear()
        if acquired:
            self._publish_of_leader("LEADERSHIP_ACQUIRED")
        self.recovery = Recovery(missing_apps=frozenset(self.apps), executors=False)
        self.recover(known or Recovery())

    def depose(self) -> None:
        """Let nobody lead. The events are forgotten."""
        self.term += 1
        if self.leader is not None:
            self.stores[self.leader].clear()
        self.leader = None
        self.recovery = Recovery()
        self._touch()

    def recover(self, known: Recovery) -> None:
        """Set how much of the cluster the leader knows, and publish each app that returns.

        Executors are published when they find the leader. Instances return without an event.
        """
        before, self.recovery = self.recovery, known
        self._touch()
        if known.executors and not before.executors:
            for executor in self.executors.values():
                self.publish("EXECUTOR_ADDED", executor_metadata(executor))
        for app_id in sorted(before.missing_apps - known.missing_apps):
            if app_id in self.apps:
                self.publish("APP_STATE_CHANGE", app_metadata(self.apps[app_id]))

    def set_maintenance(self, on: bool) -> None:
        """Enter or leave maintenance mode."""
        self.maintenance = on
        self.maintenance_updated = self.now()
        self._publish_of_leader("MAINTENANCE_MODE_SET" if on else "MAINTENANCE_MODE_REMOVED")

    # Executors

    def add_executor(self, hostname: str) -> Executor:
        """Add a machine. Several may have the same host name."""
        port = 11_000 + len(self.executors)
        executor = Executor(str(uuid4()), hostname, port, updated=self.now())
        self.executors[executor.executor_id] = executor
        self.publish("EXECUTOR_ADDED", executor_metadata(executor))
        return executor

    def announce_loss(self, executor: Executor) -> None:
        """Publish that the executor is gone. Its instances are still listed."""
        del self.executors[executor.executor_id]
        self.publish("EXECUTOR_REMOVED", executor_metadata(executor))

    def delete_instances_of(self, executor: Executor) -> list[Instance]:
        """Drop a lost executor's instances, without an event, as real controllers do."""
        gone = []
        for app in self.apps.values():
            for instance in [i for i in app.instances.values() if i.executor is executor]:
                instance.state = "LOST"
                self._retire(app, instance)
                gone.append(instance)
        return gone

    # Applications

    def add_app(self, app: AppVersion) -> None:
        """Register a version. It has no instances and is not listed."""
        if app.app_id in self.apps:
            raise SimulatorError(
                f"the app {app.app_id!r} exists: choose another version, or scale this one"
            )
        app.created = app.updated = self.now()
        self.apps[app.app_id] = app
        self.set_app_state(app, "MONITORING")

    def set_app_state(self, app: AppVersion, state: AppState) -> None:
        """Move the app to a state and publish it."""
        app.state = state
        self._changed(app)
        self.publish("APP_STATE_CHANGE", app_metadata(app))

    def settle_app(self, app: AppVersion) -> None:
        """End an operation: the app runs, or is suspended when it needs no instances."""
        self.set_app_state(app, "RUNNING" if app.required else "MONITORING")

    def remove_app(self, app: AppVersion) -> None:
        """Destroy the version: it is no longer known."""
        self.set_app_state(app, "DESTROYED")
        del self.apps[app.app_id]

    # Instances

    def add_instance(self, app: AppVersion, executor: Executor, port: int, name: str) -> Instance:
        """A container starts on the executor. It is listed when it becomes healthy."""
        now = self.now()
        instance = Instance(name, app.app_id, executor, port, created=now, updated=now)
        app.instances[name] = instance
        self.move_instance(app, instance, TO_STARTING)
        return instance

    def move_instance(
        self,
        app: AppVersion,
        instance: Instance,
        states: Sequence[InstanceState],
        error: str = "",
    ) -> None:
        """Let the instance pass through the states; each has an event."""
        for state in states:
            self.set_instance_state(app, instance, state, error)

    def set_instance_state(
        self, app: AppVersion, instance: Instance, state: InstanceState, error: str = ""
    ) -> None:
        """Move the instance to a state and publish it; a stopped one becomes an old instance."""
        was_listed = instance.listed
        instance.state = state
        instance.error = error
        instance.updated = self.now()
        if state == "STOPPED":
            self._retire(app, instance)
        if was_listed != instance.listed:
            self._changed(app)
        self.publish("INSTANCE_STATE_CHANGE", instance_metadata(app, instance))

    def set_stale(self, app: AppVersion, instance: Instance, stale: bool) -> None:
        """Leave the instance out of `/endpoints`, or take it back, without an event."""
        instance.stale = stale
        self._changed(app)

    def set_port(self, app: AppVersion, instance: Instance, port: int) -> None:
        """Change the port, without an event."""
        instance.port = port
        self._changed(app)

    def populate(self, app: AppVersion, places: Sequence[tuple[Executor, int, str]]) -> None:
        """Register an app with healthy instances that run since before there were events."""
        now = app.created = self.now()
        self.apps[app.app_id] = app
        for executor, port, name in places:
            app.instances[name] = Instance(name, app.app_id, executor, port, now, now, "HEALTHY")
        app.required = len(app.instances)
        app.state = "RUNNING" if app.required else "MONITORING"
        self._changed(app)

    # What is listed

    def listed(
        self, names: Collection[str] | None = None
    ) -> list[tuple[AppVersion, list[Instance]]]:
        """Return the apps of `/endpoints` that the leader knows, sorted by app id."""
        missing, silent = self.recovery.missing_apps, self.recovery.silent
        apps = [self.apps[app_id] for app_id in sorted(self.apps) if app_id not in missing]
        return [
            (app, [each for each in app.hosts() if each.instance_id not in silent])
            for app in apps
            if app.listed and (names is None or app.name in names)
        ]

    def _retire(self, app: AppVersion, instance: Instance) -> None:
        del app.instances[instance.instance_id]
        app.old.append(instance)
        del app.old[:-100]
        self._changed(app)

    def _changed(self, app: AppVersion) -> None:
        app.updated = self.now()
        app.revision += 1
        self._touch()

    def _publish_of_leader(self, event_type: str) -> None:
        if self.leader is not None:
            host = self.addresses[self.leader].rsplit(":", 1)[0]
            self.publish(event_type, {"HOSTNAME": host.strip("[]")})

    def _touch(self) -> None:
        self.revision += 1


def _skewed(clock: Callable[[], int], skew: int) -> Callable[[], int]:
    return lambda: clock() + skew
